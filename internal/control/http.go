package control

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"strconv"
	"strings"
)

// Bounds on what the other side may send, in bytes.
const (
	maxHead = 16 << 10
	maxBody = 1 << 20
)

// httpError is an answer that is not 200.
type httpError struct {
	status int
	reason string
}

func (e *httpError) Error() string { return e.reason }

func statusText(status int) string {
	switch status {
	case 200:
		return "OK"
	case 400:
		return "Bad Request"
	case 404:
		return "Not Found"
	case 405:
		return "Method Not Allowed"
	case 501:
		return "Not Implemented"
	}
	return "Internal Server Error"
}

// readRequest reads a request's head and drops its body, which no request of
// this interface has a use for. Everything malformed is an httpError; a
// connection that ends before its first byte is io.EOF.
func readRequest(conn io.Reader) (method, path string, err error) {
	r := bufio.NewReader(io.LimitReader(conn, maxHead))
	if _, err := r.Peek(1); err != nil {
		return "", "", err
	}
	head := textproto.NewReader(r)
	line, err := head.ReadLine()
	if err != nil {
		return "", "", &httpError{400, "no request line"}
	}
	method, rest, _ := strings.Cut(line, " ")
	target, version, ok := strings.Cut(rest, " ")
	if !ok || method == "" || !strings.HasPrefix(target, "/") ||
		version != "HTTP/1.1" && version != "HTTP/1.0" {
		return "", "", &httpError{400, "not an HTTP/1.1 request"}
	}
	header, err := head.ReadMIMEHeader()
	if err != nil {
		return "", "", &httpError{400, "bad request header"}
	}
	if header.Get("Transfer-Encoding") != "" {
		return "", "", &httpError{501, "transfer encodings are not supported"}
	}
	length, err := contentLength(header)
	if err != nil || length > maxHead {
		return "", "", &httpError{400, "bad content length"}
	}
	if _, err := io.CopyN(io.Discard, r, length); err != nil {
		return "", "", &httpError{400, "request body cut short"}
	}
	path, _, _ = strings.Cut(target, "?")
	return method, path, nil
}

// contentLength is 0 if the header does not say.
func contentLength(header textproto.MIMEHeader) (int64, error) {
	values := header.Values("Content-Length")
	if len(values) == 0 {
		return 0, nil
	}
	n, err := strconv.ParseUint(values[0], 10, 31)
	if err != nil || len(values) > 1 {
		return 0, errors.New("bad content length")
	}
	return int64(n), nil
}

// writeResponse answers value as JSON, or err.
func writeResponse(w io.Writer, value any, err error) error {
	status := 200
	var refused *httpError
	switch {
	case errors.As(err, &refused):
		status = refused.status
	case err != nil:
		status = 500
	}
	if err != nil {
		value = struct {
			Error string `json:"error"`
		}{err.Error()}
	}
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s\n",
		status, statusText(status), len(body)+1, body)
	return err
}

func writeRequest(w io.Writer, method, path string) error {
	_, err := fmt.Fprintf(w, "%s %s HTTP/1.1\r\nHost: bd\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", method, path)
	return err
}

// readResponse reads an answer into value, or returns the error that it is.
func readResponse(conn io.Reader, value any) error {
	r := bufio.NewReader(io.LimitReader(conn, maxHead+maxBody))
	head := textproto.NewReader(r)
	line, err := head.ReadLine()
	if err != nil {
		return fmt.Errorf("read answer: %w", noEOF(err))
	}
	version, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(rest, " ")
	status, err := strconv.Atoi(code)
	if err != nil || !strings.HasPrefix(version, "HTTP/1.") {
		return fmt.Errorf("answer is not HTTP: %.40q", line)
	}
	header, err := head.ReadMIMEHeader()
	if err != nil {
		return fmt.Errorf("read answer: %w", noEOF(err))
	}
	length, err := contentLength(header)
	if err != nil || length > maxBody {
		return fmt.Errorf("answer has no usable length")
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return fmt.Errorf("read answer: %w", noEOF(err))
	}
	if status != 200 {
		var refused struct {
			Error string `json:"error"`
		}
		if json.Unmarshal(body, &refused) != nil || refused.Error == "" {
			refused.Error = fmt.Sprintf("answer %d", status)
		}
		return errors.New(refused.Error)
	}
	if err := json.Unmarshal(body, value); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}

// noEOF keeps a connection that was closed too early from looking like an end.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
