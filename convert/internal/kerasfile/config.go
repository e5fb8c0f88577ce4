package kerasfile

import (
	"encoding/json"
	"fmt"
)

// modelOf reads the layers of a model's config, in the order in which it runs them.
func modelOf(text []byte) ([]Layer, error) {
	if len(text) > maxConfig {
		return nil, invalidf("a config of %d bytes, want at most %d", len(text), maxConfig)
	}
	var model struct {
		Class  string `json:"class_name"`
		Config any    `json:"config"`
	}
	if err := json.Unmarshal(text, &model); err != nil {
		return nil, invalidf("config: %v", err)
	}
	config, _ := model.Config.(map[string]any)
	layers, ok := config["layers"].([]any)
	if old, isList := model.Config.([]any); isList { // of a Sequential before Keras 2.2.3
		layers, ok = old, true
	}
	if !ok {
		return nil, invalidf("config of class %.80q without layers, want Sequential or Functional: the layers of a subclassed model are in its code alone", model.Class)
	}
	switch model.Class {
	case "Sequential":
	case "Functional", "Model":
		var err error
		if layers, err = chain(config, layers); err != nil {
			return nil, err
		}
	default:
		return nil, invalidf("model of class %.80q, want Sequential or Functional", model.Class)
	}
	all := make([]Layer, len(layers))
	for i, l := range layers {
		var err error
		if all[i], err = layerOf(l); err != nil {
			return nil, fmt.Errorf("%w, in layer %d of the config", err, i)
		}
	}
	return all, nil
}

// layerOf reads a layer's config, and those inside of it.
func layerOf(v any) (l Layer, err error) {
	m, _ := v.(map[string]any)
	l.Class, _ = m["class_name"].(string)
	l.Config, _ = m["config"].(map[string]any)
	if l.Class == "" || l.Config == nil {
		return l, invalidf("no class_name or no config")
	}
	l.Name, _ = l.Config["name"].(string)
	if l.Name == "" {
		l.Name, _ = m["name"].(string)
	}
	switch l.Class {
	case "TimeDistributed":
		err = l.inner("layer")
	case "Bidirectional":
		if l.Config["backward_layer"] == nil { // of Keras 2: as forward, the other way round
			if err = l.inner("layer", "layer"); err == nil {
				back := &l.Inside[1]
				back.Config["go_backwards"] = back.Config["go_backwards"] != true
			}
			break
		}
		err = l.inner("layer", "backward_layer")
	}
	return l, err
}

// inner reads the layers inside of l by their places in its config.
func (l *Layer) inner(keys ...string) error {
	for _, key := range keys {
		m, _ := l.Config[key].(map[string]any)
		config, _ := m["config"].(map[string]any)
		class, _ := m["class_name"].(string)
		if class == "" || config == nil {
			return invalidf("%s %.80q without the class_name or config of its %s", l.Class, l.Name, key)
		}
		name, _ := config["name"].(string)
		own := make(map[string]any, len(config))
		for k, v := range config {
			own[k] = v
		}
		l.Inside = append(l.Inside, Layer{Name: name, Class: class, Config: own})
	}
	return nil
}
