//! Import, export and clone.

use crate::http::{
    Http,
    call::Call,
    configs::{
        V1_NAMES,
        import::{Imported, author_of, report_body},
    },
    reply::Reply,
    trouble::Trouble,
};
use muster_nacos_wire::http::{Refusal, check_filter, rest_result, write_json};
use serde_json::json;

/// What is said of files without metadata, and of metadata without a file: clients know these texts.
const TEXTS: (&str, &str) = ("未在元数据中找到: ", "未在文件中找到: ");

/// How it ended, in the original's words; always HTTP 200.
fn told(imported: &Imported, done: &str) -> Reply {
    let (code, text) = match imported {
        Imported::Done(report, unrecognized) => {
            let body = report_body(report, unrecognized, TEXTS);
            return rest_result(200, Some(done), |out| write_json(out, &body)).into();
        }
        Imported::NoFile => {
            return rest_result(100_005, Some("导入的文件数据为空"), |out| {
                write_json(out, &json!({}))
            })
            .into();
        }
        Imported::NoNamespace => (100_001, "目标 namespace 不存在"),
        Imported::BadMetadata => (100_002, "导入的元数据非法"),
        Imported::Damaged => (100_004, "解析数据失败"),
        Imported::Nothing => (100_005, "导入的文件数据为空"),
        Imported::NoSelection => (100_006, "没有选择任何配置"),
    };
    rest_result(code, Some(text), |out| write_json(out, &json!({ "succCount": 0 }))).into()
}

impl Http {
    pub(super) async fn v1_import(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let imported = self.import(call, "namespace", author_of(call, V1_NAMES)).await?;
        Ok(told(&imported, "import success"))
    }

    pub(super) async fn v1_clone(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let name = "tenant";
        call.parameters.get(name).ok_or(Refusal::Missing { name, of_type: "String" })?;
        let imported = self.clone_into(call, name, author_of(call, V1_NAMES)).await?;
        Ok(told(&imported, "Clone Completed Successfully"))
    }
}
