package main

import (
	"bytes"
	"crypto/sha256"
	"path/filepath"
	"strings"

	"newsie/content/index"
)

// besideConfig makes a file that the configuration names lie beside it,
// wherever newsie is started from. What a variable names lies where it is
// started, as any path on the command line.
func besideConfig(path, config, where string) string {
	if path != "" && !filepath.IsAbs(path) && strings.HasPrefix(where, config+":") {
		return filepath.Join(filepath.Dir(config), path)
	}
	return path
}

// synonymProblems reports what is wrong with the file of synonyms, as the
// configuration's own mistakes are reported.
func (c Config) synonymProblems() ConfigProblems {
	if c.Synonyms == "" {
		return nil
	}
	data, err := readPublished(c.Synonyms)
	if err == nil {
		_, err = parseSynonyms(data)
	}
	return c.fileProblemsOf(err, "synonyms", c.Synonyms)
}

// parseSynonyms reads a file of synonyms.
func parseSynonyms(data []byte) (*index.Synonyms, error) {
	return index.ParseSynonyms(bytes.NewReader(data))
}

// loadSynonyms gives the library the configured synonyms, or says everything
// that is wrong with their file.
func (in *installation) loadSynonyms() error {
	path := in.config.Synonyms
	if path == "" {
		return nil
	}
	file := &publishedFile{name: "synonyms", path: path, log: in.log, parse: func(data []byte) (reading, error) {
		synonyms, err := parseSynonyms(data)
		return reading{sum: sha256.Sum256(data), apply: func() { in.library.SetSynonyms(synonyms) }, rules: synonyms.Rules()}, err
	}}
	if err := file.begin(); err != nil {
		return in.config.fileProblemsOf(err, "synonyms", path)
	}
	in.published = append(in.published, file)
	return nil
}
