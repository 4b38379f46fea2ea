package workspace

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"beads/internal/projection"
)

// replace sets a database aside (label says why; "" if there is none) and
// builds a new one. salvage reads what can still be read of the old one.
func (s *session) replace(ctx context.Context, label string, salvage bool) (Report, error) {
	w := s.w
	if err := w.closeDB(); err != nil && label == "" {
		return Report{}, err
	}
	aside := ""
	if label != "" {
		path, err := projection.SetAside(w.place.DB, label, w.opts.Now())
		if err != nil {
			return Report{}, fmt.Errorf("set the database aside: %w", err)
		}
		w.opts.Notice(fmt.Sprintf("the database was %s: set aside as %s and built again", label, filepath.Base(path)))
		if salvage {
			aside = path
		}
	}
	if err := s.identify(); err != nil {
		return Report{}, err
	}
	report := Report{Rebuilt: true}
	fill, end := s.told(s.fill(ctx, aside, &report))
	db, err := projection.Build(ctx, w.place.DB, w.id, w.opts.CacheSize, fill)
	end()
	if err != nil {
		return report, err
	}
	w.use(db)
	return report, nil
}

// mend replaces a database that proved to be corrupt, and brings both streams into
// the new one.
func (s *session) mend(ctx context.Context) (Report, error) {
	report, err := s.replace(ctx, "corrupt", true)
	if err == nil {
		err = s.refreshInteractions(ctx, &report, false)
	}
	return report, err
}

// mended is mend for who met the damage when a decision was under way. It is not
// asked a second time: it may have counted already what it did.
func (s *session) mended(ctx context.Context, met error) error {
	report, err := s.mend(ctx)
	if err != nil {
		return errors.Join(met, err)
	}
	s.tell(report)
	return fmt.Errorf("nothing was changed, and the database is built again; try once more: %w", met)
}

// rebuild fills w.db from every copy, itself included, in one transaction, so
// that readers keep the old answers until the new ones are there. What is too
// damaged for that is set aside.
func (s *session) rebuild(ctx context.Context) (Report, error) {
	report := Report{Rebuilt: true}
	err := s.refill(ctx, s.fill(ctx, "", &report))
	if errors.Is(err, projection.ErrCorrupt) {
		return s.replace(ctx, "corrupt", true)
	}
	if err != nil {
		err = errors.Join(err, s.w.closeDB()) // it may be one that is not to be queried
	}
	return report, err
}
