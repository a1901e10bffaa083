#pragma once

#include "http/app.hpp"
#include "manager/step_up.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace cpm::http {

/// What a request's body brings along to confirm it (HTTP "Guards").
struct Confirmation {
    std::optional<std::string> password{};
    std::optional<std::uint64_t> count{};
};

/// Looks at the password, if one came: in the password pool, slowed down like signing in. A wrong
/// one is part of the proof; the guards refuse it. Fails with Throttled, and with Validation for a
/// password that came with an API token, which has none.
asio::awaitable<core::Result<manager::Proof>>
prove(App& app, Request const& request, Caller const& caller, Confirmation confirmation);

/// What a repetition of a request must repeat: its body without the password, of which not even a
/// hash may be kept.
std::string without_password(boost::json::object body);

} // namespace cpm::http
