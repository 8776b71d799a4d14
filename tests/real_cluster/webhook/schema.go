package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	v1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metavalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	kinds "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	openapi "k8s.io/kube-openapi/pkg/validation/errors"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"
	"sigs.k8s.io/yaml"
)

// schema is what an API server keeps of one CustomResourceDefinition.
type schema struct {
	kind      string
	structure *structural.Structural
	validator *validate.SchemaValidator
}

func readSchemas(folder string) (map[string]*schema, error) {
	found := map[string]*schema{}
	for _, name := range []string{"service", "configuration", "route", "revision"} {
		text, err := os.ReadFile(filepath.Join(folder, name+".yaml"))
		if err != nil {
			return nil, err
		}
		var definition v1.CustomResourceDefinition
		if err := yaml.Unmarshal(text, &definition); err != nil {
			return nil, err
		}
		var internal apiextensions.JSONSchemaProps
		props := definition.Spec.Versions[0].Schema.OpenAPIV3Schema
		if err := v1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(props, &internal, nil); err != nil {
			return nil, err
		}
		structure, err := structural.NewStructural(&internal)
		if err != nil {
			return nil, err
		}
		kind := definition.Spec.Names.Kind
		validator := validate.NewSchemaValidator(structure.ToKubeOpenAPI(), nil, "", strfmt.Default)
		found[kind] = &schema{kind: kind, structure: structure, validator: validator}
	}
	return found, nil
}

// read is the object as an API server takes it in: without unknown fields, without nulls, with the schema's defaults.
func (s *schema) read(object map[string]any) map[string]any {
	object = copied(object)
	pruning.Prune(object, s.structure, true)
	dropNulls(object, s.structure)
	setDefaults(object, s.structure)
	return object
}

// refusal is the Status error of an object that the schema or the rules of names and labels refuse, or nil.
func (s *schema) refusal(object, old map[string]any) error {
	whole := &unstructured.Unstructured{Object: object}
	problems := metavalidation.ValidateObjectMetaAccessor(
		whole, true, metavalidation.NameIsDNSSubdomain, field.NewPath("metadata"))
	for _, err := range s.validator.Validate(object).Errors {
		problems = append(problems, asFieldError(err))
	}
	if old == nil || len(listtype.ValidateListSetsAndMaps(nil, s.structure, old)) == 0 {
		problems = append(problems, listtype.ValidateListSetsAndMaps(nil, s.structure, object)...)
	}
	if len(problems) == 0 {
		return nil
	}
	return apierrors.NewInvalid(kinds.GroupKind{Group: group, Kind: s.kind}, whole.GetName(), problems)
}

func asFieldError(err error) *field.Error {
	told, ok := err.(*openapi.Validation)
	if !ok {
		return field.Invalid(nil, "", err.Error())
	}
	path := field.NewPath(strings.TrimPrefix(told.Name, "."))
	if told.Code() == openapi.RequiredFailCode {
		return field.Required(path, "")
	}
	var value any = ""
	if told.Value != nil {
		value = told.Value
	}
	if told.Code() == openapi.InvalidTypeCode {
		return field.TypeInvalid(path, value, err.Error())
	}
	return field.Invalid(path, value, err.Error())
}

// dropNulls removes null values that the schema neither allows nor has a default for, as a server does on reading.
func dropNulls(value any, s *structural.Structural) {
	switch value := value.(type) {
	case map[string]any:
		for key, each := range value {
			inner := below(s, key)
			if each == nil && inner != nil && !inner.Nullable && inner.Default.Object == nil {
				delete(value, key)
				continue
			}
			dropNulls(each, inner)
		}
	case []any:
		for _, each := range value {
			if s != nil {
				dropNulls(each, s.Items)
			}
		}
	}
}

func setDefaults(value any, s *structural.Structural) {
	if s == nil {
		return
	}
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range s.Properties {
			if inner.Default.Object == nil {
				continue
			}
			if given, found := value[key]; !found || given == nil {
				value[key] = runtime.DeepCopyJSONValue(inner.Default.Object)
			}
		}
		for key, each := range value {
			setDefaults(each, below(s, key))
		}
	case []any:
		for _, each := range value {
			setDefaults(each, s.Items)
		}
	}
}

func below(s *structural.Structural, key string) *structural.Structural {
	if s == nil {
		return nil
	}
	if inner, found := s.Properties[key]; found {
		return &inner
	}
	if s.AdditionalProperties != nil {
		return s.AdditionalProperties.Structural
	}
	return nil
}

func invalid(err error) verdict { return verdict{Code: 422, Message: err.Error()} }

func denied(webhook, step string, err error) verdict {
	return verdict{Code: 400, Message: fmt.Sprintf("admission webhook %q denied the request: %s: %v", webhook, step, err)}
}
