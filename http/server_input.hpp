#pragma once

#include "core/server_config.hpp"
#include "http/json_input.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace cpm::http {

/// What a body says of a server: POST adds one that has just that, PATCH changes just that.
struct ServerEdit {
    std::vector<std::function<void(core::ServerConfig&)>> changes;
    /// The SecureOn password in hexadecimal digits; empty: removed; none: nothing said.
    std::optional<std::string> secure_on;

    void operator()(core::ServerConfig& config) const;
};

/// Reads the fields of a server (HTTP 3.2). Null resets a duration to the settings' default and
/// removes the SecureOn password. Ranges are the domain's to check; fields it does not know are
/// faults.
ServerEdit read_server_edit(Fields& fields, Faults& faults);

/// A SecureOn password of 4 or 6 bytes, in hexadecimal with or without ":" or "-" between the
/// bytes, as lower-case digits alone.
std::optional<std::string> parse_secure_on(std::string_view text);

} // namespace cpm::http
