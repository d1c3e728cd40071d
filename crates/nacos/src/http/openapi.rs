//! The description of the v3 API, in the words of OpenAPI 3.1.
//!
//! Paths and methods are those of the routes; what is said of them stands here, a row a route. A route without a row
//! and a row without a route fail a test, so that both say the same.

mod configs;
mod core;
mod naming;
mod parameters;
mod schema;

use super::{
    areas::AREAS,
    route::{Handler, Route},
};
use parameters::{Parameter, Place};
use schema::{Shape, schemas};
use serde_json::{Map, Value, json};

/// What is said of a route.
struct Operation {
    method: &'static str,
    /// The whole path: `/v3/client/ns/instance`.
    path: &'static str,
    summary: &'static str,
    /// The parameters, in groups that several operations share.
    parameters: &'static [&'static [Parameter]],
    answer: Answer,
    /// What may go wrong besides what may everywhere: status and meaning.
    errors: &'static [(u16, &'static str)],
}

/// What a success looks like.
enum Answer {
    /// In the `data` of a `Result`.
    Data(Shape),
    /// Without a wrapper.
    Raw(Shape),
    /// A zip archive.
    Zip,
}

const fn operation(
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    parameters: &'static [&'static [Parameter]],
    data: Shape,
) -> Operation {
    Operation { method, path, summary, parameters, answer: Answer::Data(data), errors: &[] }
}

impl Operation {
    const fn raw(self, shape: Shape) -> Self {
        Self { answer: Answer::Raw(shape), ..self }
    }

    const fn zip(self) -> Self {
        Self { answer: Answer::Zip, ..self }
    }

    const fn errors(self, errors: &'static [(u16, &'static str)]) -> Self {
        Self { errors, ..self }
    }

    fn describe(&self, area: &str) -> Value {
        let mut described = json!({
            "tags": [area.trim_start_matches('/')],
            "operationId": self.name(),
            "summary": self.summary,
            "responses": self.responses(),
        });
        let all = || self.parameters.iter().copied().flatten();
        let is_form = self.method != "GET" && self.method != "DELETE";
        let listed: Vec<Value> =
            all().filter(|one| !is_form && one.place == Place::Anywhere).map(Parameter::listed).collect();
        let headers = all().filter(|one| one.place == Place::Header).map(Parameter::listed);
        let listed: Vec<Value> = listed.into_iter().chain(headers).collect();
        if !listed.is_empty() {
            described["parameters"] = listed.into();
        }
        if let Some(body) = self.body(is_form) {
            described["requestBody"] = body;
        }
        described
    }

    /// `getAdminCoreNamespaceList`: the method and the path after the version, for generators of clients.
    fn name(&self) -> String {
        let words = self.path.trim_start_matches("/v3").split('/').filter(|word| !word.is_empty());
        let mut name = self.method.to_ascii_lowercase();
        for word in words {
            name.push_str(&word[..1].to_ascii_uppercase());
            name.push_str(&word[1..]);
        }
        name
    }

    fn body(&self, is_form: bool) -> Option<Value> {
        let all = || self.parameters.iter().copied().flatten();
        if let Some(body) = all().find(|one| one.place == Place::Json) {
            let content = json!({ "application/json": { "schema": body.shape.schema() } });
            return Some(json!({ "required": body.required, "description": body.about, "content": content }));
        }
        let fields: Vec<&Parameter> = all().filter(|one| is_form && one.place != Place::Header).collect();
        if fields.is_empty() {
            return None;
        }
        let properties: Map<String, Value> =
            fields.iter().map(|one| (one.name.to_owned(), one.property())).collect();
        let mut schema = json!({ "type": "object", "properties": properties });
        let required: Vec<&str> = fields.iter().filter(|one| one.required).map(|one| one.name).collect();
        if !required.is_empty() {
            schema["required"] = required.into();
        }
        let has_file = fields.iter().any(|one| one.place == Place::File);
        let kind = if has_file { "multipart/form-data" } else { "application/x-www-form-urlencoded" };
        let about = "In the form, or in the query.";
        Some(json!({ "description": about, "content": { kind: { "schema": schema } } }))
    }

    fn responses(&self) -> Value {
        let success = match &self.answer {
            Answer::Data(shape) => json!({ "application/json": { "schema": {
                "allOf": [{ "$ref": "#/components/schemas/Result" }, { "properties": { "data": shape.schema() } }],
            } } }),
            Answer::Raw(shape) => json!({ "application/json": { "schema": shape.schema() } }),
            Answer::Zip => {
                json!({ "application/octet-stream": { "schema": { "type": "string", "format": "binary" } } })
            }
        };
        let mut responses = Map::new();
        responses.insert("200".to_owned(), json!({ "description": "done", "content": success }));
        for (status, about) in self.errors {
            let content =
                json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Result" } } });
            responses.insert(status.to_string(), json!({ "description": about, "content": content }));
        }
        for (status, name) in [("400", "Refused"), ("500", "Failed"), ("503", "NotReady")] {
            let reference = json!({ "$ref": format!("#/components/responses/{name}") });
            responses.entry(status).or_insert(reference);
        }
        responses.into()
    }
}

fn operations() -> impl Iterator<Item = &'static Operation> {
    [naming::OPERATIONS, configs::OPERATIONS, core::OPERATIONS].into_iter().flatten()
}

/// The routes of v3 that do something, with their areas' prefixes. `ANY` is described as GET.
fn routes() -> impl Iterator<Item = (&'static str, &'static str, &'static Route)> {
    let areas = AREAS.iter().filter(|area| area.prefix.starts_with("/v3"));
    let routes = areas.flat_map(|area| area.routes.iter().map(|route| (area.prefix, route)));
    routes
        .filter(|(_, route)| !matches!(route.handler, Handler::Lacking(_)))
        .map(|(prefix, route)| (prefix, if route.method == Route::ANY { "GET" } else { route.method }, route))
}

fn described(prefix: &str, method: &str, route: &Route) -> Option<&'static Operation> {
    operations().find(|operation| {
        let rest = operation.path.strip_prefix(prefix);
        operation.method == method && rest == Some(route.path)
    })
}

/// The `paths` and `components` of the v3 API under a context path.
pub fn openapi(context_path: &str) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for (prefix, method, route) in routes() {
        let Some(operation) = described(prefix, method, route) else { continue };
        let path = paths.entry(format!("{context_path}{}", operation.path)).or_insert_with(|| json!({}));
        path[method.to_ascii_lowercase()] = operation.describe(prefix);
    }
    json!({ "paths": paths, "components": { "schemas": schemas(), "responses": responses() } })
}

/// What every operation may answer besides its success.
fn responses() -> Value {
    let result = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Result" } } });
    let text = json!({ "schema": { "type": "string" } });
    json!({
        "Refused": {
            "description": "A parameter is missing (code 10000) or wrong (20002 and others); the check of names answers in plain text.",
            "content": { "application/json": result["application/json"], "text/plain": text },
        },
        "Failed": {
            "description": "A parameter has a value that can't be read, or the server failed (code 30000).",
            "content": result,
        },
        "NotReady": {
            "description": "The node starts, drains, or has no disk space for durable writes: go to the next server.",
            "content": result,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_of_v3_is_described_and_nothing_else() {
        let bare: Vec<String> = routes()
            .filter(|(prefix, method, route)| described(prefix, method, route).is_none())
            .map(|(prefix, method, route)| format!("{method} {prefix}{}", route.path))
            .collect();
        assert!(bare.is_empty(), "say in http/openapi/ what these do: {bare:#?}");
        let gone: Vec<&str> = operations()
            .filter(|operation| {
                !routes().any(|(prefix, method, route)| {
                    operation.method == method && operation.path == format!("{prefix}{}", route.path)
                })
            })
            .map(|operation| operation.path)
            .collect();
        assert!(gone.is_empty(), "no route: {gone:#?}");
    }

    #[test]
    fn references_lead_somewhere() {
        let description = openapi("/nacos");
        let text = description.to_string();
        for reference in text.split("\"#/").skip(1) {
            let pointer = format!("/{}", reference.split('"').next().unwrap());
            assert!(description.pointer(&pointer).is_some(), "{pointer}");
        }
    }
}
