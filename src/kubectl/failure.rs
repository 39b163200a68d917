//! Why a command stops: it waits, or it ends with a message. kubectl's words for the API server's failures.
//!
//! Models `kubectl/pkg/cmd/util/helpers.go` (`checkErr`, `StandardErrorMessage`).

use api::Response;

#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// Something asked for has not arrived; the command will be run again.
    Waiting,
    /// The command ends; `message` goes to standard error as it stands (with its line end).
    Exit { code: i32, message: String },
    /// `--help` was given: what the command is called and which flags it knows.
    Help {
        command: String,
        flags: Vec<crate::flags::Flag>,
    },
}

impl Failure {
    /// `error: MESSAGE`, exit code 1.
    pub fn error(message: impl AsRef<str>) -> Failure {
        Failure::Exit {
            code: 1,
            message: format!("error: {}\n", message.as_ref()),
        }
    }

    /// A message without `error:` in front, exit code 1.
    pub fn plain(message: impl AsRef<str>) -> Failure {
        Failure::Exit {
            code: 1,
            message: format!("{}\n", message.as_ref()),
        }
    }

    /// A mistake in how the command was called: `error: …` and where help is.
    pub fn usage(command: &str, message: impl AsRef<str>) -> Failure {
        Failure::Exit {
            code: 1,
            message: format!(
                "error: {}\nSee 'kubectl {command} -h' for help and examples\n",
                message.as_ref()
            ),
        }
    }

    /// Ends silently.
    pub fn exit(code: i32) -> Failure {
        Failure::Exit {
            code,
            message: String::new(),
        }
    }

    /// The API server refused.
    pub fn server(response: &Response) -> Failure {
        Failure::plain(server_text(response, ""))
    }

    /// The API server refused while `doing` (`error when creating "x.yaml"`).
    pub fn server_while(response: &Response, doing: &str) -> Failure {
        Failure::plain(server_text(response, doing))
    }
}

/// `Error from server (NotFound): pods "x" not found`; for invalid objects `The Pod "x" is invalid: …`.
pub(crate) fn server_text(response: &Response, doing: &str) -> String {
    let told = response
        .body
        .as_str()
        .map(|text| generic(response.code, text));
    let (reason, message) = match &told {
        Some((reason, message)) => (*reason, message.as_str()),
        None => (response.reason(), response.message()),
    };
    if doing.is_empty() && reason == "Invalid" {
        return invalid_text(response);
    }
    let subject = if doing.is_empty() {
        String::new()
    } else {
        format!("{doing}: ")
    };
    if reason.is_empty() || reason == "Unknown" {
        format!("Error from server: {subject}{message}")
    } else {
        format!("Error from server ({reason}): {subject}{message}")
    }
}

/// What a failure means whose body is no Status (`NewGenericServerResponse` of apimachinery).
fn generic(code: u16, body: &str) -> (&'static str, String) {
    let plain = |reason, message: &str| (reason, message.to_owned());
    match code {
        401 => plain(
            "Unauthorized",
            "the server has asked for the client to provide credentials",
        ),
        // The server says why.
        403 => plain("Forbidden", body),
        404 => plain(
            "NotFound",
            "the server could not find the requested resource",
        ),
        405 => plain(
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        ),
        429 => plain(
            "TooManyRequests",
            "the server has received too many requests and has asked us to try again later",
        ),
        503 => plain(
            "ServiceUnavailable",
            "the server is currently unable to handle the request",
        ),
        504 => plain(
            "Timeout",
            "the server was unable to return a response in the time allotted, but may still be processing the request",
        ),
        500.. => (
            "InternalError",
            format!("an error on the server ({body:?}) has prevented the request from succeeding"),
        ),
        _ => (
            "",
            format!(
                "the server responded with the status code {code} but did not return more information"
            ),
        ),
    }
}

/// One problem on the line, or a list of them below it.
pub(crate) fn invalid_text(response: &Response) -> String {
    let details = response.body.get("details");
    let causes = details.get("causes").items();
    let (kind, name) = (details.str("kind"), details.str("name"));
    let head = if kind.is_empty() && name.is_empty() {
        "The request is invalid".to_owned()
    } else {
        format!("The {kind} \"{name}\" is invalid")
    };
    let line = |cause: &api::Value| {
        let (field, message) = (cause.str("field"), cause.str("message"));
        if field.is_empty() {
            message.to_owned()
        } else {
            format!("{field}: {message}")
        }
    };
    match causes {
        [] => format!("{head}: {}", response.message()),
        [one] => format!("{head}: {}", line(one)),
        many => {
            let mut text = format!("{head}: ");
            let mut seen: Vec<String> = Vec::new();
            for cause in many {
                let line = line(cause);
                if !seen.contains(&line) {
                    text += &format!("\n* {line}");
                    seen.push(line);
                }
            }
            text
        }
    }
}
