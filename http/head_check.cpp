#include "http/head_check.hpp"

#include "http/route.hpp"
#include "http/target.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace cpm::http {
namespace {

tl::unexpected<Refusal> refuse(int status, std::string detail) {
    return tl::make_unexpected(Refusal{status, std::move(detail)});
}

using Fields = decltype(Head::fields);

// Of these a second one is refused: who reads the first and who reads the last would differ.
constexpr std::array<std::string_view, 15> kOnce{
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "transfer-encoding",
    "authorization",
    "cookie",
    "origin",
    "sec-fetch-site",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "last-event-id",
    "x-auth-token",
    "x-forwarded-proto",
};

std::string_view find(Fields const& fields, std::string_view name) {
    auto const found = std::ranges::find(fields, name, &Fields::value_type::first);
    return found == fields.end() ? std::string_view() : std::string_view(found->second);
}

bool has(Fields const& fields, std::string_view name) {
    return std::ranges::find(fields, name, &Fields::value_type::first) != fields.end();
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    auto const lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trim(std::string_view text) {
    auto const first = text.find_first_not_of(" \t");
    if (first == text.npos)
        return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Calls visit(element) for each element of a comma-separated list.
template <class Visit>
void for_each_element(std::string_view list, Visit visit) {
    while (!list.empty()) {
        auto const end = std::min(list.find(','), list.size());
        visit(trim(list.substr(0, end)));
        list.remove_prefix(std::min(end + 1, list.size()));
    }
}

struct MethodOf {
    Method method;
    bool head_only;
};

Checked<MethodOf> read_method(std::string_view text) {
    if (text == "HEAD")
        return MethodOf{Method::Get, true};
    for (auto method : {Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete})
        if (text == to_string(method))
            return MethodOf{method, false};
    if (text == "CONNECT" || text == "TRACE" || text == "OPTIONS")
        return refuse(405, "the method " + std::string(text) + " is not offered here");
    return refuse(501, "the method must be GET, HEAD, POST, PUT, PATCH or DELETE, in upper case");
}

Checked<void> check_fields(Fields const& fields) {
    if (fields.size() > kMaxFields)
        return refuse(431, "the head must have at most 64 fields");
    for (auto const& [name, value] : fields) {
        std::string dashed(name);
        std::ranges::replace(dashed, '_', '-');
        bool const matters = std::ranges::find(kOnce, dashed) != kOnce.end();
        if (matters && dashed != name)
            return refuse(400, "the field " + name + " looks like " + dashed + ": leave it out");
        auto const times = std::ranges::count(fields, name, &Fields::value_type::first);
        if (matters && times > 1)
            return refuse(400, "the field " + name + " must not be repeated");
    }
    return {};
}

Checked<void> check_host(Fields const& fields, Target const& target, OwnNames const& own) {
    if (!has(fields, "host"))
        return refuse(400, "the field Host is missing");
    auto const value = find(fields, "host");
    auto const host = host_of(value);
    if (host.empty())
        return refuse(400, "the field Host must be a host name or address, and maybe a port");
    if (!target.authority.empty() && !equal_ignoring_case(target.authority, value))
        return refuse(400, "an absolute target must name the same host as the field Host");
    bool const loopback = host == "localhost" || host == "127.0.0.1" || host == "::1";
    bool const named = std::ranges::any_of(own.names, [&](std::string const& name) {
        return equal_ignoring_case(name, host);
    });
    if (!loopback && !named && host != own.local_address)
        return refuse(421, "this manager is not configured to be called " + host);
    return {};
}

bool brings_body(Method method) {
    return method == Method::Post || method == Method::Put || method == Method::Patch;
}

Checked<std::size_t> read_length(Fields const& fields, Method method, unsigned version) {
    if (has(fields, "transfer-encoding")) {
        if (version < 11)
            return refuse(400, "HTTP/1.0 has no Transfer-Encoding");
        if (equal_ignoring_case(find(fields, "transfer-encoding"), "chunked"))
            return refuse(411, "send the body with a Content-Length, not in chunks");
        return refuse(501, "no Transfer-Encoding is understood; send a Content-Length");
    }
    if (!has(fields, "content-length")) {
        // Without a length there is no body (RFC 9112 6.3), which is how curl -X POST sends none.
        // But where a body is announced, or the version knew no such rule, one may follow.
        bool const may_follow = version < 11 || has(fields, "content-type");
        if (brings_body(method) && may_follow)
            return refuse(411, "send the body with a Content-Length, 0 where there is none");
        return 0;
    }
    auto const text = find(fields, "content-length");
    std::size_t length = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (error != std::errc() || end != text.data() + text.size())
        return refuse(400, "Content-Length must be a number");
    if (length > 0 && method == Method::Get)
        return refuse(400, "a GET has no body");
    return length;
}

/// "application/json", with no other parameter than charset=utf-8.
bool is_json(std::string_view value) {
    auto const semicolon = std::min(value.find(';'), value.size());
    if (!equal_ignoring_case(trim(value.substr(0, semicolon)), "application/json"))
        return false;
    auto const parameter = trim(value.substr(std::min(semicolon + 1, value.size())));
    return parameter.empty() || equal_ignoring_case(parameter, "charset=utf-8") ||
           equal_ignoring_case(parameter, "charset=\"utf-8\"");
}

Checked<void> check_body(Fields const& fields, std::size_t length) {
    if (has(fields, "expect"))
        return refuse(417, "send the body at once, without Expect");
    if (has(fields, "content-encoding") &&
        !equal_ignoring_case(find(fields, "content-encoding"), "identity"))
        return refuse(415, "send the body without a Content-Encoding");
    if (length > 0 && !is_json(find(fields, "content-type")))
        return refuse(415, "the body must be JSON: send Content-Type: application/json");
    return {};
}

bool wants_close(Fields const& fields) {
    bool close = false;
    for (auto const& [name, value] : fields)
        if (name == "connection")
            for_each_element(value, [&](std::string_view option) {
                close = close || equal_ignoring_case(option, "close");
            });
    return close;
}

} // namespace

std::string host_of(std::string_view authority) {
    std::string_view host = authority;
    std::string_view port;
    bool const bracketed = authority.starts_with('[');
    if (bracketed) {
        auto const end = authority.find(']');
        if (end == authority.npos)
            return {};
        host = authority.substr(1, end - 1);
        port = authority.substr(end + 1);
    } else if (auto const colon = authority.find(':'); colon != authority.npos) {
        host = authority.substr(0, colon);
        port = authority.substr(colon);
    }
    bool const port_is_fine =
        port.empty() || (port.size() <= 6 && port.front() == ':' &&
                         port.find_first_not_of("0123456789", 1) == port.npos);
    std::string lower(host);
    for (auto& c : lower) {
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
        bool const fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
                          c == '-' || (bracketed && c == ':');
        if (!fine)
            return {};
    }
    if (!port_is_fine)
        return {};
    if (bracketed) {
        boost::system::error_code error;
        auto const address = boost::asio::ip::make_address_v6(lower, error);
        return error ? std::string() : address.to_string();
    }
    return lower;
}

Checked<CheckedHead> check_head(Head const& head, OwnNames const& own) {
    if (head.version != 10 && head.version != 11)
        return refuse(505, "the version must be HTTP/1.1");
    auto const method = read_method(head.method);
    if (!method)
        return tl::make_unexpected(method.error());
    if (auto fine = check_fields(head.fields); !fine)
        return tl::make_unexpected(fine.error());
    auto target = parse_target(head.target);
    if (!target)
        return tl::make_unexpected(target.error());
    if (auto fine = check_host(head.fields, *target, own); !fine)
        return tl::make_unexpected(fine.error());
    auto const length = read_length(head.fields, method->method, head.version);
    if (!length)
        return tl::make_unexpected(length.error());
    if (auto fine = check_body(head.fields, *length); !fine)
        return tl::make_unexpected(fine.error());

    CheckedHead checked;
    checked.request.method = method->method;
    checked.request.path = std::move(target->path);
    checked.request.query = std::move(target->query);
    checked.request.headers = head.fields;
    checked.content_length = *length;
    checked.head_only = method->head_only;
    // Nothing behind a change without a length is read as a request: it might be its body.
    bool const is_sure = !brings_body(method->method) || has(head.fields, "content-length");
    checked.keep_alive = head.version == 11 && is_sure && !wants_close(head.fields);
    return checked;
}

} // namespace cpm::http
