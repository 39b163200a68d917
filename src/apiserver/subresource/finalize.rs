//! `namespaces/finalize`: the namespace controller takes its finalizer off; with the last one the namespace goes.

use api::{Response, Status, Value};

use crate::ApiServer;
use crate::call::Call;
use crate::decode;
use crate::write::{check_version, match_name};

impl ApiServer {
    pub(crate) fn finalize(&mut self, call: &mut Call, body: Value) -> Result<Response, Status> {
        let mut object = decode::object(call, body)?;
        match_name(call, &mut object)?;
        let old = self.current(call).ok_or_else(|| call.not_found())?;
        check_version(call, &object, &old)?;
        let finalizers = object.path("spec.finalizers").clone();
        let mut new = old.clone();
        if finalizers.is_empty() {
            new.entry("spec").remove("finalizers");
        } else {
            new.set_path("spec.finalizers", finalizers);
        }
        let object = self.store_update(call, new, &old)?;
        Ok(Response::ok(object))
    }
}
