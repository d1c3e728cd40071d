//! Instances from XML.

use super::{
    draft::{DataCenterDraft, Draft, PortDraft, number, small},
    names,
    tree::{self, Element},
};

/// The instance of `<instance>…</instance>`.
pub(super) fn instance_body(document: &str) -> Option<Draft> {
    tree::read(document).filter(|root| root.name == "instance").map(instance)
}

/// Elements that are not known are ignored, as are namespaces.
fn instance(root: Element) -> Draft {
    let mut draft = Draft::default();
    for element in root.children {
        if let Some(member) = draft.text_member(&element.name) {
            *member = Some(element.text);
            continue;
        }
        match element.name.as_str() {
            "port" => draft.port = port(&element),
            "securePort" => draft.secure_port = port(&element),
            "countryId" => draft.country_id = Some(small(number(&element.text))),
            "dataCenterInfo" => draft.data_center = Some(data_center(element)),
            "leaseInfo" => {
                let secs = |name| element.child(name).map(|child| number(&child.text));
                draft.renewal_secs = secs("renewalIntervalInSecs");
                draft.duration_secs = secs("durationInSecs");
            }
            "metadata" => draft.metadata = pairs(element),
            "lastDirtyTimestamp" => draft.last_dirty = Some(number(&element.text)),
            _ => {}
        }
    }
    draft
}

/// `<port enabled="true">8080</port>`.
fn port(element: &Element) -> PortDraft {
    PortDraft {
        number: (!element.text.trim().is_empty()).then(|| small(number(&element.text))),
        enabled: element.attribute("enabled").map(|text| text.trim().eq_ignore_ascii_case("true")),
    }
}

fn data_center(mut element: Element) -> DataCenterDraft {
    let mut draft = DataCenterDraft::default();
    for child in element.children.drain(..) {
        match child.name.as_str() {
            "name" => draft.name = Some(child.text),
            "metadata" => draft.metadata = pairs(child),
            _ => {}
        }
    }
    draft
}

/// Labels: an element a key, in the coding of [`names`].
fn pairs(element: Element) -> Vec<(String, String)> {
    element.children.into_iter().map(|child| (names::decode(&child.name), child.text)).collect()
}
