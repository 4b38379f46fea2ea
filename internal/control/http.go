package control

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"unicode"
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
	allow  string // of a 405: the method that is taken
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
	case 406:
		return "Not Acceptable"
	case 501:
		return "Not Implemented"
	case 503:
		return "Service Unavailable"
	}
	return "Internal Server Error"
}

// AnswerError is a daemon's answer that it does not do what was asked.
type AnswerError struct {
	Status int // of HTTP
	Reason string
}

func (e *AnswerError) Error() string { return e.Reason }

// request is what somebody asks for.
type request struct {
	method string
	path   string
	query  url.Values
	accept string // what the other side can read; "" is anything
}

// readRequest reads a request's head and drops its body, which no request of
// this interface has a use for. Everything malformed is an httpError; a
// connection that ends before its first byte is io.EOF.
func readRequest(conn io.Reader) (request, error) {
	r := bufio.NewReader(io.LimitReader(conn, maxHead))
	if _, err := r.Peek(1); err != nil {
		return request{}, err
	}
	refuse := func(status int, reason string) (request, error) {
		return request{}, &httpError{status: status, reason: reason}
	}
	head := textproto.NewReader(r)
	line, err := head.ReadLine()
	if err != nil {
		return refuse(400, "no request line")
	}
	method, rest, _ := strings.Cut(line, " ")
	target, version, ok := strings.Cut(rest, " ")
	// A CR alone, which ReadLine leaves, is invalid (RFC 9112, section 2.2), and
	// so is every other control character.
	if strings.ContainsFunc(line, unicode.IsControl) || !ok || method == "" || !strings.HasPrefix(target, "/") ||
		version != "HTTP/1.1" && version != "HTTP/1.0" {
		return refuse(400, "not an HTTP/1.1 request")
	}
	header, err := head.ReadMIMEHeader()
	if err != nil {
		return refuse(400, "bad request header")
	}
	if header.Get("Transfer-Encoding") != "" {
		return refuse(501, "transfer encodings are not supported")
	}
	length, err := contentLength(header)
	if err != nil || length > maxHead {
		return refuse(400, "bad content length")
	}
	if _, err := io.CopyN(io.Discard, r, length); err != nil {
		return refuse(400, "request body cut short")
	}
	path, parameters, _ := strings.Cut(target, "?")
	query, err := url.ParseQuery(parameters)
	if err != nil {
		return refuse(400, "bad query")
	}
	return request{method, path, query, strings.Join(header.Values("Accept"), ",")}, nil
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

// text is an answer that is not JSON.
type text struct{ contentType, body string }

// writeResponse answers value, as JSON unless it is a text, or err.
func writeResponse(w io.Writer, value any, err error) error {
	status, more := 200, ""
	var refused *httpError
	switch {
	case err == nil:
	case errors.As(err, &refused):
		status = refused.status
		if refused.allow != "" {
			more = "Allow: " + refused.allow + "\r\n"
		}
	case errors.Is(err, ErrMetricsOff):
		status = 404
	case errors.Is(err, ErrStopping):
		status = 503
	default:
		status = 500
	}
	if err != nil {
		value = struct {
			Error string `json:"error"`
		}{err.Error()}
	}
	answer, plain := value.(text)
	if !plain {
		body, err := json.Marshal(value)
		if err != nil {
			return err
		}
		answer = text{"application/json", string(body) + "\n"}
	}
	_, err = fmt.Fprintf(w, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n%sConnection: close\r\n\r\n%s",
		status, statusText(status), answer.contentType, len(answer.body), more, answer.body)
	return err
}

func writeRequest(w io.Writer, method, path string) error {
	_, err := fmt.Fprintf(w, "%s %s HTTP/1.1\r\nHost: bd\r\nAccept: application/json, text/event-stream\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", method, path)
	return err
}

// readResponse reads an answer into value, or returns the error that it is.
func readResponse(conn io.Reader, value any) error {
	r := bufio.NewReader(io.LimitReader(conn, maxHead+maxBody))
	status, header, err := readHead(r)
	if err != nil {
		return err
	}
	body, err := readBody(r, status, header)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, value); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}

func readHead(r *bufio.Reader) (status int, header textproto.MIMEHeader, err error) {
	head := textproto.NewReader(r)
	line, err := head.ReadLine()
	if err != nil {
		return 0, nil, fmt.Errorf("read answer: %w", noEOF(err))
	}
	version, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(rest, " ")
	status, err = strconv.Atoi(code)
	if err != nil || !strings.HasPrefix(version, "HTTP/1.") {
		return 0, nil, fmt.Errorf("answer is not HTTP: %.40q", line)
	}
	if header, err = head.ReadMIMEHeader(); err != nil {
		return 0, nil, fmt.Errorf("read answer: %w", noEOF(err))
	}
	return status, header, nil
}

// readBody returns what follows the head, or the error that the answer is.
func readBody(r io.Reader, status int, header textproto.MIMEHeader) ([]byte, error) {
	length, err := contentLength(header)
	if err != nil || length > maxBody {
		return nil, errors.New("answer has no usable length")
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, fmt.Errorf("read answer: %w", noEOF(err))
	}
	if status == 200 {
		return body, nil
	}
	var refused struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &refused) != nil || refused.Error == "" {
		refused.Error = fmt.Sprintf("answer %d", status)
	}
	return nil, &AnswerError{Status: status, Reason: refused.Error}
}

// noEOF keeps a connection that was closed too early from looking like an end.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
