package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestChart(t *testing.T) {
	rows := []row{
		{What: "show", Issues: 1000, Value: 3.5, Unit: "x floor"},
		{What: "create", Issues: 1000, Value: 5, Unit: "x floor"},
		{What: "show", Issues: 100_000, Value: 3.6, Unit: "x floor"},
		{What: "binary", Value: 14, Unit: "MB"},
	}
	drawn := chart(rows)
	decoder := xml.NewDecoder(bytes.NewReader(drawn))
	paths := 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, drawn)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "path" {
			paths++
		}
	}
	if paths != 2 || strings.Contains(string(drawn), "binary") {
		t.Errorf("%d lines, want one each for show and create:\n%s", paths, drawn)
	}
	if strings.Contains(string(chart(nil)), "NaN") {
		t.Error("nothing measured gives numbers that are none")
	}
}

func TestGrowth(t *testing.T) {
	rows := []row{{What: "show", Issues: 1000, Value: 4}, {What: "show", Issues: 100_000, Value: 5}}
	for _, r := range growth(rows, []int{1000, 100_000}) {
		if r.What == "show, growth" {
			if r.Value != 1.25 || !r.within(r.Limit) {
				t.Errorf("%+v, want 1.25 and within", r)
			}
			return
		}
	}
	t.Error("no row for show")
}
