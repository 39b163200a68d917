//! Asking on behalf of somebody else: `--as`, `--as-group`, the `Impersonate-…` headers.
//!
//! Models `apiserver/pkg/endpoints/filters/impersonation`: each name asked for is a resource of its own that the caller
//! must be allowed to `impersonate`.

use api::{Options, Part, Request, Status, Str};

use crate::authorize::Attributes;
use crate::{ApiServer, Caller, User};

const AUTHENTICATION: &str = "authentication.k8s.io";
const ALL_AUTHENTICATED: &str = "system:authenticated";
const ALL_UNAUTHENTICATED: &str = "system:unauthenticated";
const ANONYMOUS: &str = "system:anonymous";

impl ApiServer {
    /// Who the caller acts as, if not as themselves.
    pub(crate) fn acting(
        &self,
        caller: &Caller,
        request: &Request,
    ) -> Result<Option<Caller>, Status> {
        let who = &request.options;
        if who.impersonate_user.is_empty() {
            let is_asked = !who.impersonate_uid.is_empty()
                || !who.impersonate_groups.is_empty()
                || !who.impersonate_extra.is_empty();
            if !is_asked {
                return Ok(None);
            }
            let why =
                "requested impersonation of groups, uid or extra without impersonating a user";
            return Err(Status::new(
                500,
                "InternalError",
                format!("Internal error occurred: {why}"),
            ));
        }
        if matches!(caller.part, Part::Client(_)) {
            self.may_impersonate(&caller.user, who)?;
        }
        Ok(Some(Caller {
            part: caller.part,
            user: User::acting(who),
        }))
    }

    fn may_impersonate(&self, user: &User, who: &Options) -> Result<(), Status> {
        match service_account(&who.impersonate_user) {
            Some((namespace, name)) => {
                self.may_be(user, "", "serviceaccounts", namespace, name)?;
            }
            None => self.may_be(user, "", "users", "", &who.impersonate_user)?,
        }
        for group in &who.impersonate_groups {
            self.may_be(user, "", "groups", "", group)?;
        }
        for (key, value) in &who.impersonate_extra {
            let resource = format!("userextras/{key}");
            self.may_be(user, AUTHENTICATION, &resource, "", value)?;
        }
        if !who.impersonate_uid.is_empty() {
            self.may_be(user, AUTHENTICATION, "uids", "", &who.impersonate_uid)?;
        }
        Ok(())
    }

    fn may_be(
        &self,
        user: &User,
        group: &str,
        resource: &str,
        namespace: &str,
        name: &str,
    ) -> Result<(), Status> {
        let wanted = Attributes {
            verb: "impersonate".into(),
            group: Str::new(group),
            resource: resource.to_owned(),
            namespace: Str::new(namespace),
            name: Str::new(name),
            ..Attributes::default()
        };
        self.permit(user, &wanted)
    }
}

impl User {
    /// What the server takes somebody for who is asked for by name: the groups that their kind always has come by
    /// themselves.
    fn acting(who: &Options) -> User {
        let mut groups = who.impersonate_groups.clone();
        if groups.is_empty()
            && let Some((namespace, _)) = service_account(&who.impersonate_user)
        {
            groups.push("system:serviceaccounts".into());
            groups.push(format!("system:serviceaccounts:{namespace}").into());
        }
        let has = |groups: &[Str], name: &str| groups.iter().any(|group| *group == *name);
        if who.impersonate_user == *ANONYMOUS {
            if !has(&groups, ALL_UNAUTHENTICATED) {
                groups.push(ALL_UNAUTHENTICATED.into());
            }
        } else if !has(&groups, ALL_AUTHENTICATED) && !has(&groups, ALL_UNAUTHENTICATED) {
            groups.push(ALL_AUTHENTICATED.into());
        }
        let mut extra: Vec<(Str, Vec<Str>)> = Vec::new();
        for (key, value) in &who.impersonate_extra {
            match extra.iter_mut().find(|(known, _)| known == key) {
                Some((_, values)) => values.push(value.clone()),
                None => extra.push((key.clone(), vec![value.clone()])),
            }
        }
        User {
            name: who.impersonate_user.clone(),
            uid: who.impersonate_uid.clone(),
            groups,
            extra,
        }
    }

    /// Somebody who showed nothing.
    pub fn anonymous() -> User {
        User {
            name: ANONYMOUS.into(),
            groups: vec![ALL_UNAUTHENTICATED.into()],
            ..User::default()
        }
    }
}

/// Namespace and name of `system:serviceaccount:NAMESPACE:NAME`.
fn service_account(user: &str) -> Option<(&str, &str)> {
    let (namespace, name) = user
        .strip_prefix("system:serviceaccount:")?
        .split_once(':')?;
    (!namespace.is_empty() && !name.is_empty() && !name.contains(':')).then_some((namespace, name))
}
