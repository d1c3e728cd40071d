//! Import, export and clone.

use crate::http::{
    Http,
    call::Call,
    configs::{
        V3_NAMES, bound,
        import::{Imported, author_of, report_body},
    },
    reply::Reply,
    trouble::Trouble,
};
use muster_nacos_wire::http::{ResultCode, ZipFormat, check_filter, result, result_with, write_json};
use serde_json::json;

/// What is said of files without metadata, and of metadata without a file.
const TEXTS: (&str, &str) = ("Item not found in metadata: ", "Item not found in file: ");

/// What administration calls the namespace to clone into.
pub(crate) const ADMIN_CLONE: &str = "namespaceId";
/// What the console calls it.
pub(crate) const CONSOLE_CLONE: &str = "targetNamespaceId";

/// How it ended; always HTTP 200.
fn told(imported: &Imported) -> Reply {
    let code = match imported {
        Imported::Done(report, unrecognized) => {
            let body = report_body(report, unrecognized, TEXTS);
            return result(|out| write_json(out, &body)).into();
        }
        Imported::NoFile => {
            return result_with(200, ResultCode::ImportEmpty, |out| write_json(out, &json!({}))).into();
        }
        Imported::NoNamespace => ResultCode::NamespaceNotExist,
        Imported::BadMetadata => ResultCode::ImportMetadata,
        Imported::Damaged => ResultCode::ImportParse,
        Imported::Nothing => ResultCode::ImportEmpty,
        Imported::NoSelection => ResultCode::NoSelection,
    };
    result_with(200, code, |out| write_json(out, &json!({ "succCount": 0 }))).into()
}

impl Http {
    pub(crate) async fn v3_import(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let imported = self.import(call, "namespaceId", author_of(call, V3_NAMES)).await?;
        Ok(told(&imported))
    }

    pub(crate) async fn v3_export(&self, call: &Call) -> Result<Reply, Trouble> {
        self.export(call, V3_NAMES, ZipFormat::SecondWithTags).await
    }

    /// Clones into the namespace that a parameter names.
    pub(crate) async fn v3_clone(&self, call: &Call, namespace: &'static str) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        bound(&call.parameters, namespace, "String")?;
        let imported = self.clone_into(call, namespace, author_of(call, V3_NAMES)).await?;
        Ok(told(&imported))
    }
}
