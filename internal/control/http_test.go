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
		{"a query that is broken", "GET /v1/status?x=%zz HTTP/1.1\r\n\r\n", "", "", 400},
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
			r, err := readRequest(strings.NewReader(test.wire))
			var refused *httpError
			errors.As(err, &refused)
			switch {
			case test.status == 0 && (err != nil || r.method != test.method || r.path != test.path):
				t.Errorf("got %+v %v, want %q %q", r, err, test.method, test.path)
			case test.status != 0 && (refused == nil || refused.status != test.status):
				t.Errorf("got %v, want a refusal with %d", err, test.status)
			}
		})
	}
	if _, err := readRequest(strings.NewReader("")); !errors.Is(err, io.EOF) {
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
	f.Add([]byte("GET /v1/metrics?format=json&x=%41 HTTP/1.1\r\nAccept: application/json;q=0.5, */*\r\n\r\n"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		r, err := readRequest(bytes.NewReader(wire))
		if err == nil && (r.method == "" || !strings.HasPrefix(r.path, "/") || strings.ContainsAny(r.path, "?\r\n")) {
			t.Errorf("accepted %+v", r)
		}
	})
}

func TestRequestForMetrics(t *testing.T) {
	for _, test := range []struct{ name, wire, want string }{
		{"nothing said", "GET /v1/metrics HTTP/1.1\r\n\r\n", "openmetrics"},
		{"curl", "GET /v1/metrics HTTP/1.1\r\nAccept: */*\r\n\r\n", "openmetrics"},
		{"JSON", "GET /v1/metrics HTTP/1.1\r\nAccept: application/json\r\n\r\n", "json"},
		{"JSON in another spelling", "GET /v1/metrics HTTP/1.1\r\nACCEPT: Application/JSON; q=1\r\n\r\n", "json"},
		{"JSON in a second header", "GET /v1/metrics HTTP/1.1\r\nAccept: image/png\r\nAccept: application/json\r\n\r\n", "json"},
		{"Prometheus", "GET /v1/metrics HTTP/1.1\r\nAccept: application/openmetrics-text;version=1.0.0;q=0.5,application/json;q=0.1\r\n\r\n", "openmetrics"},
		{"a parameter", "GET /v1/metrics?format=json HTTP/1.1\r\nAccept: text/plain\r\n\r\n", "json"},
		{"a parameter, the other way", "GET /v1/metrics?format=openmetrics HTTP/1.1\r\nAccept: application/json\r\n\r\n", "openmetrics"},
		{"an unknown parameter", "GET /v1/metrics?format=xml HTTP/1.1\r\n\r\n", "format must be json or openmetrics"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := readRequest(strings.NewReader(test.wire))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			switch answer, err := (server{h: &fake{}}).answer(t.Context(), r); {
			case err != nil:
				got = err.Error()
			default:
				got = "json"
				if _, plain := answer.(text); plain {
					got = "openmetrics"
				}
			}
			if got != test.want {
				t.Errorf("answered %q, want %q", got, test.want)
			}
		})
	}
}

func FuzzReadResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		var s Status
		_ = readResponse(bytes.NewReader(wire), &s)
	})
}
