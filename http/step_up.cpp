#include "http/step_up.hpp"

#include "http/password_pool.hpp"
#include "http/sign_in_throttle.hpp"

#include <boost/json/serialize.hpp>

namespace cpm::http {

asio::awaitable<core::Result<manager::Proof>>
prove(App& app, Request const& request, Caller const& caller, Confirmation confirmation) {
    manager::Proof proof;
    proof.count = confirmation.count;
    bool const by_session = caller.kind == CallerKind::Session;
    if (by_session)
        proof.session = caller.session;
    if (!confirmation.password)
        co_return proof;
    if (!by_session)
        co_return core::invalid("password", "an API token has none: leave it out");
    auto const& name = caller.actor.name;
    if (auto const may = app.throttle.attempt(name, request.peer, app.clock.now().mono); !may)
        co_return tl::make_unexpected(may.error());
    auto const* user = app.model.accounts().find_user(name);
    auto hash = user ? user->password_hash : std::string{};
    auto const is_right =
        co_await app.passwords.verify(std::move(hash), std::move(*confirmation.password));
    if (!is_right)
        co_return tl::make_unexpected(is_right.error());
    if (*is_right)
        app.throttle.succeeded(name, request.peer);
    proof.password = *is_right ? core::StepUp::Password::Right : core::StepUp::Password::Wrong;
    co_return proof;
}

std::string without_password(boost::json::object body) {
    body.erase("password");
    return boost::json::serialize(body);
}

} // namespace cpm::http
