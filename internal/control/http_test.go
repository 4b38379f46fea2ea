package control

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestReadRequest(t *testing.T) {
	long := strings.Repeat("x", maxHead)
	for _, test := range []struct {
		name, wire   string
		method, path string
		status       int // of the refusal; 0: none
	}{
		{"as our client writes it", "GET /v1/status HTTP/1.1\r\nHost: bd\r\nContent-Length: 0\r\n\r\n", "GET", "/v1/status", 0},
		{"as curl writes it", "POST /v1/stop HTTP/1.1\r\nHost: bd\r\nUser-Agent: curl/8\r\nAccept: */*\r\n\r\n", "POST", "/v1/stop", 0},
		{"bare line feeds", "GET / HTTP/1.0\n\n", "GET", "/", 0},
		{"a query is not part of the path", "GET /v1/status?x=1 HTTP/1.1\r\n\r\n", "GET", "/v1/status", 0},
		{"a body is dropped", "POST /v1/stop HTTP/1.1\r\nContent-Length: 3\r\n\r\n{}\n", "POST", "/v1/stop", 0},
		{"body cut short", "POST /v1/stop HTTP/1.1\r\nContent-Length: 3\r\n\r\n{", "", "", 400},
		{"no version", "GET /v1/status\r\n\r\n", "", "", 400},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\n", "", "", 400},
		{"absolute target", "GET http://bd/ HTTP/1.1\r\n\r\n", "", "", 400},
		{"header without colon", "GET / HTTP/1.1\r\nnonsense\r\n\r\n", "", "", 400},
		{"header without end", "GET / HTTP/1.1\r\nHost: bd\r\n", "", "", 400},
		{"header larger than allowed", "GET / HTTP/1.1\r\nA: " + long + "\r\n\r\n", "", "", 400},
		{"negative length", "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "", "", 400},
		{"two lengths", "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "", "", 400},
		{"huge length", "GET / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", "", "", 400},
		{"chunked", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", "", 501},
		{"binary", "\x16\x03\x01\x02\x00\x01", "", "", 400},
	} {
		t.Run(test.name, func(t *testing.T) {
			method, path, err := readRequest(strings.NewReader(test.wire))
			var refused *httpError
			errors.As(err, &refused)
			switch {
			case test.status == 0 && (err != nil || method != test.method || path != test.path):
				t.Errorf("got %q %q %v, want %q %q", method, path, err, test.method, test.path)
			case test.status != 0 && (refused == nil || refused.status != test.status):
				t.Errorf("got %v, want a refusal with %d", err, test.status)
			}
		})
	}
	if _, _, err := readRequest(strings.NewReader("")); !errors.Is(err, io.EOF) {
		t.Errorf("a connection that says nothing: got %v, want EOF", err)
	}
}

func TestReadResponse(t *testing.T) {
	for _, test := range []struct{ name, wire, err string }{
		{"fine", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"pid\":7}", ""},
		{"error of the daemon", "HTTP/1.1 500 X\r\nContent-Length: 18\r\n\r\n{\"error\":\"no way\"}", "no way"},
		{"error without a reason", "HTTP/1.1 404 X\r\nContent-Length: 2\r\n\r\n{}", "answer 404"},
		{"closed at once", "", "unexpected EOF"},
		{"cut short", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"pid", "unexpected EOF"},
		{"not HTTP", "SSH-2.0-x\r\n\r\n", "not HTTP"},
		{"not JSON", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "answer:"},
		{"too large", "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", "no usable length"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var s Status
			err := readResponse(strings.NewReader(test.wire), &s)
			if test.err == "" && (err != nil || s.PID != 7) {
				t.Errorf("got %+v %v", s, err)
			}
			if test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("got %v, want %q", err, test.err)
			}
		})
	}
}

func FuzzReadRequest(f *testing.F) {
	f.Add([]byte("GET /v1/status HTTP/1.1\r\nHost: bd\r\n\r\n"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		method, path, err := readRequest(bytes.NewReader(wire))
		if err == nil && (method == "" || !strings.HasPrefix(path, "/")) {
			t.Errorf("accepted method %q, path %q", method, path)
		}
	})
}

func FuzzReadResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		var s Status
		_ = readResponse(bytes.NewReader(wire), &s)
	})
}
