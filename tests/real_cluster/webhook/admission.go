package main

import (
	"context"
	"encoding/json"
	"fmt"

	authentication "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"knative.dev/pkg/apis"
	webhook "knative.dev/pkg/webhook/json"
	"knative.dev/serving/pkg/apis/config"
	serving "knative.dev/serving/pkg/apis/serving/v1"
	autoscaler "knative.dev/serving/pkg/autoscaler/config"
)

const (
	group      = "serving.knative.dev"
	defaulting = "webhook." + group
	validating = "validation.webhook." + group
)

// object is what the webhook of Serving can default and validate.
type object interface {
	apis.Defaultable
	apis.Validatable
	runtime.Object
}

var prototypes = map[string]func() object{
	"Service":       func() object { return &serving.Service{} },
	"Configuration": func() object { return &serving.Configuration{} },
	"Route":         func() object { return &serving.Route{} },
	"Revision":      func() object { return &serving.Revision{} },
}

// withConfiguration is a context with the config maps as the webhook's store holds them; left out ones are empty.
func withConfiguration(maps map[string]map[string]string) (context.Context, error) {
	defaults, err := config.NewDefaultsConfigFromMap(maps["config-defaults"])
	if err != nil {
		return nil, err
	}
	features, err := config.NewFeaturesConfigFromMap(maps["config-features"])
	if err != nil {
		return nil, err
	}
	scaling, err := autoscaler.NewConfigFromMap(maps["config-autoscaler"])
	if err != nil {
		return nil, err
	}
	all := &config.Config{Defaults: defaults, Features: features, Autoscaler: scaling}
	return config.ToContext(context.Background(), all), nil
}

// admit does what happens between the request and the store, in an API server's order: reading, the defaulting webhook,
// the schema, the validating webhook.
func admit(ctx context.Context, s *schema, old, given map[string]any, user string) verdict {
	stored, err := mutated(ctx, s, old, s.read(given), user)
	if err != nil {
		return denied(defaulting, "mutation failed", err)
	}
	setDefaults(stored, s.structure)
	delete(stored, "status")
	if err := s.refusal(stored, old); err != nil {
		return invalid(err)
	}
	problems, err := validated(ctx, s.kind, old, stored, user)
	if err != nil {
		return denied(validating, "decoding request failed", err)
	}
	if errors := problems.Filter(apis.ErrorLevel); errors != nil {
		return denied(validating, "validation failed", errors)
	}
	answer := verdict{Code: 200, Object: stored}
	for _, warning := range problems.Filter(apis.WarningLevel).WrappedErrors() {
		answer.Warnings = append(answer.Warnings, warning.Error())
	}
	return answer
}

func mutated(ctx context.Context, s *schema, old, given map[string]any, user string) (map[string]any, error) {
	fresh, err := decoded(s.kind, given)
	if err != nil {
		return nil, fmt.Errorf("cannot decode incoming new object: %w", err)
	}
	if old == nil {
		ctx = apis.WithinCreate(ctx)
	} else {
		baseline, err := decoded(s.kind, old)
		if err != nil {
			return nil, fmt.Errorf("cannot decode incoming old object: %w", err)
		}
		baseline.SetDefaults(ctx) // "so that we don't reject our own defaulting"
		ctx = apis.WithinUpdate(ctx, baseline)
	}
	ctx = apis.WithUserInfo(ctx, &authentication.UserInfo{Username: user})
	fresh.SetDefaults(ctx)
	stamp(ctx, fresh, user)
	text, err := json.Marshal(fresh)
	if err != nil {
		return nil, err
	}
	var result map[string]any
	if err := json.Unmarshal(text, &result); err != nil {
		return nil, err
	}
	return copied(result), nil
}

// stamp writes who created and who changed the spec, where the kind offers its spec.
func stamp(ctx context.Context, fresh object, user string) {
	spec, ok := fresh.(apis.HasSpec)
	if !ok {
		return
	}
	meta := fresh.(metav1.ObjectMetaAccessor).GetObjectMeta()
	annotations := meta.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	if apis.IsInUpdate(ctx) {
		before := apis.GetBaseline(ctx).(apis.HasSpec)
		if equality.Semantic.DeepEqual(before.GetUntypedSpec(), spec.GetUntypedSpec()) {
			return
		}
	} else {
		annotations[group+apis.CreatorAnnotationSuffix] = user
	}
	annotations[group+apis.UpdaterAnnotationSuffix] = user
	meta.SetAnnotations(annotations)
}

func validated(ctx context.Context, kind string, old, stored map[string]any, user string) (*apis.FieldError, error) {
	fresh, err := decoded(kind, stored)
	if err != nil {
		return nil, err
	}
	ctx = apis.WithUserInfo(ctx, &authentication.UserInfo{Username: user})
	if old == nil {
		return fresh.Validate(apis.WithinCreate(ctx)), nil
	}
	baseline, err := decoded(kind, old)
	if err != nil {
		return nil, err
	}
	return fresh.Validate(apis.WithinUpdate(ctx, baseline)), nil
}

func decoded(kind string, value map[string]any) (object, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	result := prototypes[kind]()
	return result, webhook.Decode(text, result, false)
}
