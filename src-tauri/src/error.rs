//! What a command rejects with: a code for the page and a plain sentence for the person.

use serde::Serialize;

/// `{code, message}`; the message can be shown as it stands and says what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct UiError {
    /// A stable name, as in mesh/node/README.md.
    pub(crate) code: String,
    /// A plain sentence.
    pub(crate) message: String,
}

impl UiError {
    /// An error of the shell's own.
    #[must_use]
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
        }
    }

    /// The page sent something that makes no sense: a defect of ours, so the details go to the log.
    #[must_use]
    pub(crate) fn bad_request(what: &str, detail: impl std::fmt::Display) -> Self {
        tracing::error!(what, %detail, "the page sent a bad request");
        Self::new(
            "bad_request",
            format!("The app asked for something odd ({what}). Please try again."),
        )
    }
}

impl From<peddlenet_mesh::Error> for UiError {
    fn from(error: peddlenet_mesh::Error) -> Self {
        Self::new(error.code.as_str(), error.message)
    }
}

impl From<peddlenet_mesh::ErrorCode> for UiError {
    fn from(code: peddlenet_mesh::ErrorCode) -> Self {
        peddlenet_mesh::Error::from(code).into()
    }
}
