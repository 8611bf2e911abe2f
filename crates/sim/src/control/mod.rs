//! The simulator's own paths, for programs that have no other hold on it: what a [`Sim`](crate::Sim) can do, as JSON
//! over HTTP. No fault strikes here, and no gateway's log says that somebody asked.

mod accounts;
mod ask;
mod play;
mod routes;
mod show;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use serde_json::{Value, json};

use crate::fault::{Fault, NeverStrikes};
use crate::gateways::{Gateway, Operation};
use crate::names::{FAULTS, Make};
use crate::server::Server;
use crate::world::{BODY_LIMIT, World, plain};
use ask::{Fields, LONGEST_MILLIS, Query};
use routes::{Action, ROUTES, Route};

/// How long [`Action::Idle`] waits unless told otherwise, and at most, in milliseconds.
const PATIENCE: u64 = 30_000;

/// Why nothing was done.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    says: Value,
    /// The methods that the path takes, when it was asked with another.
    allow: Option<String>,
}

impl Refusal {
    fn new(status: StatusCode, says: Value) -> Self {
        Self { status, says, allow: None }
    }

    /// What was sent breaks a rule in one place.
    fn field(field: &str, rule: impl std::fmt::Display) -> Self {
        Self::of(StatusCode::BAD_REQUEST, field, rule)
    }

    fn of(status: StatusCode, field: &str, rule: impl std::fmt::Display) -> Self {
        Self::new(status, json!({ "error": format!("{field}: {rule}"), "field": field }))
    }

    fn no_such_path() -> Self {
        let paths: Vec<_> = ROUTES.iter().map(|route| format!("{} {}", route.method, route.path)).collect();
        Self::new(StatusCode::NOT_FOUND, json!({ "error": "the simulator has no such path", "paths": paths }))
    }

    fn wrong_method(used: &Method, path: &str, methods: &[&str]) -> Self {
        let says = json!({ "error": format!("{path} takes {}, not {used}", methods.join(" and ")) });
        Self { allow: Some(methods.join(", ")), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, says) }
    }

    fn response(&self) -> Response<Bytes> {
        let mut response = printed(self.status, &self.says);
        let allow = self.allow.as_deref().and_then(|allow| HeaderValue::from_str(allow).ok());
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        response
    }
}

/// Whether a request is for the simulator itself and not for a gateway.
pub(crate) fn is_meant(uri: &Uri) -> bool {
    uri.path() == "/_sim" || uri.path().starts_with("/_sim/")
}

/// Does what a request asks for.
pub(crate) async fn answer(server: &Server, request: &Request<Bytes>) -> Response<Bytes> {
    let outcome = match find(request) {
        Ok(action) => act(server, action, request).await,
        Err(refusal) => Err(refusal),
    };
    match outcome {
        Ok(says) => printed(StatusCode::OK, &says),
        Err(refusal) => refusal.response(),
    }
}

/// The answer to a body that was not read whole.
pub(crate) fn too_large() -> Response<Bytes> {
    let rule = format_args!("larger than {BODY_LIMIT} bytes");
    Refusal::of(StatusCode::PAYLOAD_TOO_LARGE, "body", rule).response()
}

fn find(request: &Request<Bytes>) -> Result<Action, Refusal> {
    let path = if request.uri().path() == "/_sim" { "/_sim/" } else { request.uri().path() };
    let there: Vec<_> = ROUTES.iter().filter(|route| route.path == path).collect();
    if there.is_empty() {
        return Err(Refusal::no_such_path());
    }
    let found = there.iter().find(|route| route.method == request.method());
    found.map(|route| route.action).ok_or_else(|| {
        let methods: Vec<_> = there.iter().map(|route| route.method.as_str()).collect();
        Refusal::wrong_method(request.method(), path, &methods)
    })
}

/// JSON that people read, too.
fn printed(status: StatusCode, says: &Value) -> Response<Bytes> {
    plain(status, "application/json", format!("{says:#}\n").into())
}

async fn act(server: &Server, action: Action, request: &Request<Bytes>) -> Result<Value, Refusal> {
    let world = server.world();
    let mut query = Query::read(request.uri())?;
    let mut fields = Fields::read(request.body())?;
    match action {
        Action::Index => nothing_more(query, fields).map(|()| index(server)),
        Action::Accounts => nothing_more(query, fields).map(|()| accounts::all(world)),
        Action::Ledger => {
            let wanted = show::Wanted { gateway: query.gateway()?, reference: query.take("reference") };
            nothing_more(query, fields)?;
            Ok(show::ledger(&world.ledger(), &wanted))
        }
        Action::Events => nothing_more(query, fields).map(|()| show::events(&world.events())),
        Action::Magic => nothing_more(query, fields).map(|()| show::magic()),
        Action::Messages => nothing_more(query, fields).map(|()| show::messages(&world.messages())),
        Action::Transfer => play::transfer(server, query, fields),
        Action::WalkIn => play::walk_in(server, query, fields),
        Action::Reverse => play::reverse(server, query, fields),
        Action::Inject => inject(world, query, fields),
        Action::ClearFaults => {
            nothing_more(query, fields).map(|()| json!({ "calls_spared": world.clear_faults() }))
        }
        Action::Advance => {
            let by = fields.advance()?;
            nothing_more(query, fields)?;
            server.advance(by);
            Ok(time(server))
        }
        Action::Idle => {
            let limit = query.millis("millis", PATIENCE)?.unwrap_or(PATIENCE);
            nothing_more(query, fields)?;
            idle(server, Duration::from_millis(limit)).await
        }
        Action::Reset => {
            nothing_more(query, fields)?;
            server.reset();
            Ok(time(server))
        }
    }
}

fn inject(world: &World, query: Query, mut fields: Fields) -> Result<Value, Refusal> {
    let (gateway, operation) = (fields.name::<Gateway>("gateway")?, fields.name::<Operation>("operation")?);
    let faults = fields.faults()?;
    nothing_more(query, fields)?;
    world.inject(gateway, operation, faults.iter().copied()).map_err(|error| match error {
        NeverStrikes::Operation(_) => Refusal::field("operation", error),
        NeverStrikes::Fault(fault) => Refusal::field(&place_of(fault, &faults), error),
    })?;
    let faults: Vec<_> = faults.into_iter().map(show::fault).collect();
    Ok(json!({ "gateway": gateway.as_str(), "operation": operation.as_str(), "faults": faults }))
}

/// Where a fault was named in the list that was sent.
fn place_of(fault: Fault, faults: &[Fault]) -> String {
    let index = faults.iter().position(|one| *one == fault).unwrap_or_default();
    format!("faults[{index}].fault")
}

/// Refuses whatever has not been taken: it would be ignored, and its sender would not know.
fn nothing_more(query: Query, fields: Fields) -> Result<(), Refusal> {
    query.finish()?;
    fields.finish()
}

async fn idle(server: &Server, limit: Duration) -> Result<Value, Refusal> {
    let Some(busy) = server.busy_after(limit).await else { return Ok(json!({ "idle": true })) };
    let next_in = busy.world.next_in.map(show::millis);
    let waits = limit.as_millis();
    let error = format!(
        "not idle after {waits} ms: see what is outstanding; POST /_sim/advance brings about what is due later"
    );
    let says = json!({
        "error": error,
        "idle": false,
        "requests": busy.requests,
        "callbacks": busy.world.callbacks,
        "next_in_millis": next_in,
    });
    Err(Refusal::new(StatusCode::GATEWAY_TIMEOUT, says))
}

fn time(server: &Server) -> Value {
    let (now, ahead) = server.world().time();
    json!({ "now": now.to_string(), "ahead_millis": show::millis(ahead) })
}

fn index(server: &Server) -> Value {
    let paths: Vec<_> = ROUTES
        .iter()
        .map(|Route { method, path, takes, does, .. }| {
            json!({ "method": method.as_str(), "path": path, "takes": takes, "does": does })
        })
        .collect();
    let faults: Vec<_> = FAULTS
        .iter()
        .map(|(name, make)| match make {
            Make::Plain(_) => json!({ "fault": name }),
            Make::Lasting(_) => json!({ "fault": name, "millis": format!("0 to {LONGEST_MILLIS}") }),
        })
        .collect();
    json!({
        "simulator": concat!("malipo-sim ", env!("CARGO_PKG_VERSION")),
        "money": "simulated",
        "time": time(server),
        "paths": paths,
        "gateways": Gateway::ALL.iter().map(|gateway| gateway.as_str()).collect::<Vec<_>>(),
        "operations": Operation::ALL.iter().map(|operation| operation.as_str()).collect::<Vec<_>>(),
        "faults": faults,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_page_lists_every_path() {
        let page = include_str!("../../README.md");
        for Route { method, path, .. } in ROUTES {
            assert!(page.contains(&format!("| `{method} {path}")), "README.md lacks {method} {path}");
        }
        assert_eq!(page.matches(" /_sim/").count(), ROUTES.len(), "README.md has a row too many");
    }

    #[test]
    fn only_what_is_below_its_own_name_is_the_simulators() {
        for (path, own) in
            [("/_sim", true), ("/_sim/", true), ("/_sim/x?y", true), ("/_simx", false), ("/", false)]
        {
            assert_eq!(is_meant(&path.parse().unwrap()), own, "{path}");
        }
    }
}
