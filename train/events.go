package train

import (
	"bytes"
	"io"

	"sluice/internal/disk"
)

// eventLog is a file of lines. What has been synced stays; the rest is kept in
// memory too and written again after a sync that failed, since nobody knows what
// became of it.
type eventLog struct {
	fs      disk.FS
	path    string
	file    disk.Editor // nil until the first line
	synced  int64       // bytes
	pending []byte      // lines after these
	written int         // bytes of pending that are in the file
	told    bool        // of the last line that it could not be written
}

// add appends a line. Of lines in a row that cannot be written the first is an
// error; sync writes them all or is another.
func (l *eventLog) add(line []byte) error {
	l.pending = append(append(l.pending, line...), '\n')
	err, told := l.flush(), l.told
	if l.told = err != nil; told {
		return nil
	}
	return err
}

func (l *eventLog) flush() error {
	if l.file == nil {
		file, err := l.fs.Edit(l.path)
		if err != nil {
			return err
		}
		l.file = file
	}
	n, err := l.file.WriteAt(l.pending[l.written:], l.synced+int64(l.written))
	l.written += n
	return err
}

func (l *eventLog) sync() error {
	if len(l.pending) == 0 {
		return nil
	}
	if err := l.flush(); err != nil {
		return err
	}
	if err := l.file.Sync(); err != nil {
		l.written = 0
		return err
	}
	l.synced, l.pending, l.written = l.synced+int64(len(l.pending)), l.pending[:0], 0
	return nil
}

// cut leaves the first lines of the log, so many of them or as many as there are,
// and tells how many. With an error the file is as it was.
func (l *eventLog) cut(lines int) (found int, err error) {
	if l.file != nil {
		l.file.Close()
	}
	*l = eventLog{fs: l.fs, path: l.path}
	if l.file, err = l.fs.Edit(l.path); err != nil {
		return 0, err
	}
	content, err := read(l.fs, l.path)
	if err != nil {
		return 0, err
	}
	for ; found < lines; found++ {
		n := bytes.IndexByte(content[l.synced:], '\n')
		if n < 0 {
			break
		}
		l.synced += int64(n) + 1
	}
	return found, l.file.Truncate(l.synced)
}

// read is the whole of a file.
func read(fsys disk.FS, path string) ([]byte, error) {
	file, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		return nil, err
	}
	content := make([]byte, size)
	if _, err := file.ReadAt(content, 0); err != nil && err != io.EOF {
		return nil, err
	}
	return content, nil
}

func (l *eventLog) close() error {
	if l.file == nil {
		return nil
	}
	err := l.sync()
	if closed := l.file.Close(); err == nil {
		err = closed
	}
	l.file = nil
	return err
}
