package spelling

import "testing"

func TestNearest(t *testing.T) {
	names := []string{"debounce_interval", "log_level", "log_format", "enabled"}
	tests := []struct {
		name, typed string
		within      int
		want        string
	}{
		{"the same", "log_level", 0, "log_level"},
		{"a letter missing", "log_leve", 1, "log_level"},
		{"a letter too many", "enabledd", 1, "enabled"},
		{"another letter", "enablet", 1, "enabled"},
		{"two letters swapped are two changes", "log_elvel", 1, ""},
		{"within two", "log_elvel", 2, "log_level"},
		{"the closest wins", "log_forma", 9, "log_format"},
		{"of two as close the first", "log_", 6, "log_level"},
		{"nothing is near", "remote", 2, ""},
		{"nothing typed", "", 2, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Nearest(tt.typed, names, tt.within); got != tt.want {
				t.Errorf("Nearest(%q, within %d) = %q, want %q", tt.typed, tt.within, got, tt.want)
			}
		})
	}
	if got := Nearest("x", nil, 5); got != "" {
		t.Errorf("without names: %q", got)
	}
}
