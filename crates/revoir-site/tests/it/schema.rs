//! Checks a value against a schema of an OpenAPI 3.1 file: the few words of JSON Schema that ours
//! uses, and none other.

use serde_json::Value;

/// What is wrong with `value`, and where. Empty if nothing is.
pub(crate) fn problems(file: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(file, schema, value, "", &mut found);
    found
}

fn check(file: &Value, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    for (word, rule) in schema.as_object().expect("a schema is an object") {
        match word.as_str() {
            "$ref" => {
                let path = rule.as_str().and_then(|path| path.strip_prefix('#'));
                let target = path.and_then(|path| file.pointer(path));
                let target = target.unwrap_or_else(|| panic!("{rule} leads nowhere"));
                check(file, target, value, place, found);
            }
            "type" => {
                let types = match rule {
                    Value::Array(types) => types.iter().collect(),
                    one => vec![one],
                };
                if !types.iter().any(|name| is(value, name.as_str().unwrap())) {
                    found.push(format!("{place}: {value} is not {rule}"));
                }
            }
            "enum" => {
                if !rule.as_array().unwrap().contains(value) {
                    found.push(format!("{place}: {value} is not one of {rule}"));
                }
            }
            "items" => {
                for (i, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(file, rule, item, &format!("{place}/{i}"), found);
                }
            }
            "properties" => {
                for (name, schema) in rule.as_object().unwrap() {
                    if let Some(own) = value.get(name) {
                        check(file, schema, own, &format!("{place}/{name}"), found);
                    }
                }
            }
            // Of an object, if it is one.
            "required" if !value.is_object() => {}
            "required" => {
                for name in rule.as_array().unwrap() {
                    if value.get(name.as_str().unwrap()).is_none() {
                        found.push(format!("{place}: {name} is missing"));
                    }
                }
            }
            "additionalProperties" => {
                assert_eq!(rule, false);
                for name in value.as_object().into_iter().flat_map(|own| own.keys()) {
                    if schema["properties"].get(name).is_none() {
                        found.push(format!("{place}: {name} is not described"));
                    }
                }
            }
            // For people.
            "description" => {}
            "format" => {
                assert_eq!(rule, "date");
                if !is_date(value) {
                    found.push(format!("{place}: {value} is not a {rule}"));
                }
            }
            other => panic!("the word {other} is not checked"),
        }
    }
}

/// A full-date of RFC 3339, of digits and hyphens.
fn is_date(value: &Value) -> bool {
    value.as_str().is_some_and(|date| {
        let of_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let parts = date.split('-').collect::<Vec<_>>();
        parts.iter().map(|part| part.len()).eq([4, 2, 2])
            && parts.iter().all(|part| of_digits(part))
    })
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        other => panic!("the type {other} is not checked"),
    }
}

#[test]
fn a_value_that_is_not_as_described_is_found() {
    let file: Value = serde_json::from_str("{}").unwrap();
    let schema = serde_json::json!({
        "type": "object",
        "properties": { "a": { "type": ["integer", "null"] }, "b": { "enum": ["x"] } },
        "required": ["a"],
        "additionalProperties": false,
    });
    let wrong = |text: &str| {
        let value = serde_json::from_str(text).unwrap();
        problems(&file, &schema, &value).len()
    };
    assert_eq!(wrong(r#"{"a":null,"b":"x"}"#), 0);
    assert_eq!(wrong(r#"{"a":"1","b":"y","c":1}"#), 3);
    assert_eq!(wrong("{}"), 1);
}
