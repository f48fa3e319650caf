package main

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"newsie/bot/rules"
)

// decodeFile reads newsie.yaml, remembering the line of every key. Keys that
// do not exist and values of the wrong kind are all reported.
func decodeFile(name string, data []byte, c *Config, lines lineIndex) ConfigProblems {
	var node yaml.Node
	if err := yaml.Unmarshal(data, &node); err != nil {
		fault := rules.Syntax(data, err)
		return ConfigProblems{{fmt.Sprintf("%s:%d", name, fault.Line), fault.What}}
	}
	lines.collect(name, "", &node)
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	err := decoder.Decode(c)
	var wrong *yaml.TypeError
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return nil
	case errors.As(err, &wrong):
		var problems ConfigProblems
		for _, text := range wrong.Errors {
			problems = append(problems, explain(name, text))
		}
		return problems
	}
	return ConfigProblems{{name, strings.TrimPrefix(err.Error(), "yaml: ")}}
}

var (
	lineRule    = regexp.MustCompile(`^line (\d+): (.*)$`)
	unknownRule = regexp.MustCompile(`^field (\S+) not found in type \S+$`)
	typeRule    = regexp.MustCompile("^cannot unmarshal \\S+ (`.*`)? ?into (\\S+)$")
)

// explain turns the decoder's words into the publisher's.
func explain(file, text string) ConfigProblem {
	problem := ConfigProblem{file, text}
	if m := lineRule.FindStringSubmatch(text); m != nil {
		problem = ConfigProblem{file + ":" + m[1], m[2]}
	}
	if m := unknownRule.FindStringSubmatch(problem.What); m != nil {
		problem.What = fmt.Sprintf("there is no key %q", m[1])
	} else if m := typeRule.FindStringSubmatch(problem.What); m != nil {
		kind := map[string]string{"bool": "true or false", "int": "a number", "string": "a text", "[]string": "a list of texts"}[m[2]]
		if kind == "" {
			kind = "a group of keys"
		}
		problem.What = strings.TrimSpace(m[1] + " is not " + kind)
	}
	return problem
}

// own are variables that no key of the configuration stands for.
var own = map[string]bool{"NEWSIE_CONFIG": true, "NEWSIE_TEST_POSTGRES": true, "NEWSIE_ARTIFACTS": true}

// overlay sets what the environment says over what the file said.
func overlay(c *Config, environ []string, lines lineIndex) ConfigProblems {
	var problems ConfigProblems
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "NEWSIE_") || own[name] || strings.HasPrefix(name, "NEWSIE_TEST_") {
			continue
		}
		key, err := set(reflect.ValueOf(c).Elem(), "", strings.TrimPrefix(shorthand(name), "NEWSIE_"), value)
		if err != nil {
			problems = append(problems, ConfigProblem{name, err.Error()})
			continue
		}
		if other := lines[key]; other != name && strings.HasPrefix(other, "NEWSIE_") {
			problems = append(problems, ConfigProblem{name, fmt.Sprintf("%s says the same key (%s): set one of the two", other, key)})
			continue
		}
		lines[key] = name
	}
	return problems
}

// shorthand lets NEWSIE_TELEGRAM_TOKEN stand for the token of a channel named telegram.
func shorthand(name string) string {
	for _, kind := range kinds {
		if rest, ok := strings.CutPrefix(name, "NEWSIE_"+strings.ToUpper(kind)+"_"); ok {
			return "NEWSIE_CHANNELS_" + strings.ToUpper(kind) + "_" + rest
		}
	}
	return name
}

func envName(key string) string {
	return "NEWSIE_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(key))
}

// set puts a value where a variable's name points, and returns the key; "" when
// there is none of that name.
func set(v reflect.Value, prefix, name, value string) (string, error) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		key := field.Tag.Get("yaml")
		if key == "" {
			continue
		}
		upper := strings.ToUpper(key)
		switch {
		case name == upper && oneValue(v.Field(i)):
			return prefix + key, parse(v.Field(i), value)
		case name == upper+"_FILE" && field.Tag.Get("secret") == "true":
			data, err := os.ReadFile(value)
			if err != nil {
				return prefix + key, fmt.Errorf("read the secret: %w", err)
			}
			return prefix + key, parse(v.Field(i), strings.TrimSpace(string(data)))
		case field.Type.Kind() == reflect.Struct && strings.HasPrefix(name, upper+"_"):
			return set(v.Field(i), prefix+key+".", strings.TrimPrefix(name, upper+"_"), value)
		case field.Type.Kind() == reflect.Map && strings.HasPrefix(name, upper+"_"):
			return setEntry(v.Field(i), prefix+key+".", strings.TrimPrefix(name, upper+"_"), value)
		}
	}
	return "", errors.New("there is no such key")
}

// oneValue tells of a key that a variable can hold the whole of.
func oneValue(v reflect.Value) bool {
	if _, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return true
	}
	return v.Kind() != reflect.Struct && v.Kind() != reflect.Map
}

// setEntry finds which entry of a map a name means: an existing one, else the
// one whose rest is a key.
func setEntry(m reflect.Value, prefix, name, value string) (string, error) {
	if m.IsNil() {
		m.Set(reflect.MakeMap(m.Type()))
	}
	if m.Type().Elem().Kind() == reflect.String {
		entry := strings.ToLower(name)
		m.SetMapIndex(reflect.ValueOf(entry), reflect.ValueOf(value))
		return prefix + entry, nil
	}
	var names []string
	for _, existing := range m.MapKeys() {
		if strings.HasPrefix(name, strings.ToUpper(strings.ReplaceAll(existing.String(), "-", "_"))+"_") {
			names = append(names, existing.String())
		}
	}
	for i, r := range name {
		if r == '_' && i > 0 {
			names = append(names, strings.ReplaceAll(strings.ToLower(name[:i]), "_", "-"))
		}
	}
	for _, entry := range names {
		item := reflect.New(m.Type().Elem()).Elem()
		if old := m.MapIndex(reflect.ValueOf(entry)); old.IsValid() {
			item.Set(old)
		}
		key, err := set(item, prefix+entry+".", name[len(entry)+1:], value)
		if err == nil {
			m.SetMapIndex(reflect.ValueOf(entry), item)
			return key, nil
		}
		if key != "" {
			return key, err
		}
	}
	return "", errors.New("there is no such key")
}

func parse(v reflect.Value, value string) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(value))
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(value)
	case reflect.Bool:
		b, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("%q is not true or false", value)
		}
		v.SetBool(b)
	case reflect.Int:
		n, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Errorf("%q is not a number", value)
		}
		v.SetInt(int64(n))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return parse(v.Elem(), value)
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.String {
			return errors.New("a list of groups stands in the file")
		}
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		for _, part := range strings.Split(value, ",") {
			if part = strings.TrimSpace(part); part != "" {
				v.Set(reflect.Append(v, reflect.ValueOf(part)))
			}
		}
	default:
		return fmt.Errorf("a %s cannot be set by a variable", v.Kind())
	}
	return nil
}
