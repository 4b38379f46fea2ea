package watch

import (
	"io/fs"

	"golang.org/x/sys/windows"
)

// identify says which directory path names.
func identify(path string) (identity, error) {
	by, err := information(path, 0)
	if err == nil && by.FileAttributes&windows.FILE_ATTRIBUTE_DIRECTORY == 0 {
		err = windows.ERROR_DIRECTORY // not a directory
	}
	if err != nil {
		return identity{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	return identityOf(by), nil
}

// stampOf is the state of the file at path; a link is not followed.
func stampOf(path string) (stamp, error) {
	by, err := information(path, windows.FILE_FLAG_OPEN_REPARSE_POINT)
	if err != nil {
		return stamp{}, err
	}
	return stamp{
		identity: identityOf(by),
		size:     int64(by.FileSizeHigh)<<32 | int64(by.FileSizeLow), changed: by.LastWriteTime.Nanoseconds(),
	}, nil
}

func identityOf(by windows.ByHandleFileInformation) identity {
	return identity{uint64(by.VolumeSerialNumber), uint64(by.FileIndexHigh)<<32 | uint64(by.FileIndexLow)}
}

func information(path string, flags uint32) (by windows.ByHandleFileInformation, err error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return by, err
	}
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	fd, err := windows.CreateFile(name, 0, share, nil, windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS|flags, 0)
	if err != nil {
		return by, err
	}
	defer windows.CloseHandle(fd)
	return by, windows.GetFileInformationByHandle(fd, &by)
}
