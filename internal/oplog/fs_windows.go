package oplog

import (
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// NoFollow are flags for os.OpenFile that refuse a symbolic link with ELOOP.
// There are none here, and making links takes a privilege.
const NoFollow = 0

// Stat implements FS.
func (OS) Stat(path string) (Info, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err == nil {
		var fd windows.Handle
		const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
		const attributes = windows.FILE_FLAG_BACKUP_SEMANTICS | windows.FILE_FLAG_OPEN_REPARSE_POINT
		if fd, err = windows.CreateFile(name, 0, share, nil, windows.OPEN_EXISTING, attributes, 0); err == nil {
			defer windows.CloseHandle(fd)
			var info Info
			if info, err = infoOf(fd); err == nil {
				return info, nil
			}
		}
	}
	return Info{}, &fs.PathError{Op: "stat", Path: path, Err: err}
}

// SyncDir implements FS. NTFS keeps a journal of names, and a directory cannot
// be flushed.
func (OS) SyncDir(path string) error {
	_, err := os.Stat(path)
	return err
}

// infoOf takes the serial number of the volume for the device and the index of
// the file, which a rename keeps, for the inode. The time of the last change of
// attributes is not told.
func infoOf(fd windows.Handle) (Info, error) {
	var by windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(fd, &by); err != nil {
		return Info{}, err
	}
	return Info{
		Dev:     uint64(by.VolumeSerialNumber),
		Inode:   uint64(by.FileIndexHigh)<<32 | uint64(by.FileIndexLow),
		Size:    int64(by.FileSizeHigh)<<32 | int64(by.FileSizeLow),
		ModTime: by.LastWriteTime.Nanoseconds(),
	}, nil
}

func (f *osFile) write(p []byte) (int, error) { return f.file.Write(p) }
