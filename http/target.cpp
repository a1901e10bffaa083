#include "http/target.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace cpm::http {
namespace {

tl::unexpected<Refusal> refuse(std::string detail) {
    return tl::make_unexpected(Refusal{400, std::move(detail)});
}

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Unreserved and reserved characters and the percent sign (RFC 3986 section 2), less the '#'.
bool is_uri_byte(char c) {
    return is_alphanumeric(c) ||
           std::string_view("-._~:/?[]@!$&'()*+,;=%").find(c) != std::string_view::npos;
}

std::optional<int> digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return std::nullopt;
}

/// Well-formed UTF-8 (RFC 3629): shortest form, no surrogates.
bool is_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        auto const lead = static_cast<std::uint8_t>(text[i]);
        std::size_t const length = lead < 0x80   ? 1
                                   : lead < 0xC2 ? 0
                                   : lead < 0xE0 ? 2
                                   : lead < 0xF0 ? 3
                                   : lead < 0xF5 ? 4
                                                 : 0;
        if (length == 0 || i + length > text.size())
            return false;
        for (std::size_t k = 1; k < length; ++k)
            if ((static_cast<std::uint8_t>(text[i + k]) & 0xC0) != 0x80)
                return false;
        auto const second = length > 1 ? static_cast<std::uint8_t>(text[i + 1]) : 0;
        if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
            (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F))
            return false;
        i += length;
    }
    return true;
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

Checked<std::string> decode(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded.push_back(text[i]);
            continue;
        }
        auto const high = i + 1 < text.size() ? digit(text[i + 1]) : std::nullopt;
        auto const low = i + 2 < text.size() ? digit(text[i + 2]) : std::nullopt;
        if (!high || !low)
            return refuse("a percent sign in the target must be followed by two hexadecimal digits"
            );
        decoded.push_back(static_cast<char>(*high * 16 + *low));
        i += 2;
    }
    if (std::ranges::any_of(decoded, is_control) || !is_utf8(decoded))
        return refuse("the target must decode to UTF-8 without control characters");
    return decoded;
}

/// As browsers write forms and URLSearchParams: a plus sign is a space.
Checked<std::string> decode_query(std::string_view text) {
    std::string spaced(text);
    std::ranges::replace(spaced, '+', ' ');
    return decode(spaced);
}

Checked<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view text) {
    std::vector<std::pair<std::string, std::string>> query;
    while (!text.empty()) {
        auto const end = std::min(text.find('&'), text.size());
        auto const part = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (part.empty())
            continue;
        auto const equals = std::min(part.find('='), part.size());
        auto name = decode_query(part.substr(0, equals));
        auto value = decode_query(part.substr(std::min(equals + 1, part.size())));
        if (!name || !value)
            return tl::make_unexpected(name ? value.error() : name.error());
        query.emplace_back(std::move(*name), std::move(*value));
    }
    return query;
}

} // namespace

Checked<Target> parse_target(std::string_view text) {
    if (text.size() > kMaxTarget)
        return tl::make_unexpected(Refusal{
            414, "the request's target must be at most 2048 bytes long"});
    if (!std::ranges::all_of(text, is_uri_byte))
        return refuse("the target contains a byte that no URI may contain; percent-encode it");
    Target target;
    for (std::string_view const scheme : {"http://", "https://"})
        if (text.starts_with(scheme)) {
            text.remove_prefix(scheme.size());
            auto const end = std::min(text.find_first_of("/?"), text.size());
            target.authority = text.substr(0, end);
            text.remove_prefix(end);
            if (target.authority.empty())
                return refuse("an absolute target must name a host");
        }
    if (!text.starts_with('/'))
        return refuse("the target must begin with a slash");
    auto const mark = std::min(text.find('?'), text.size());
    auto path = decode(text.substr(0, mark));
    if (!path)
        return tl::make_unexpected(path.error());
    auto const slashes = std::ranges::count(text.substr(0, mark), '/');
    if (std::ranges::count(*path, '/') != slashes || path->find('\\') != std::string::npos)
        return refuse("the path must not contain an encoded slash or a backslash");
    auto query = parse_query(text.substr(std::min(mark + 1, text.size())));
    if (!query)
        return tl::make_unexpected(query.error());
    target.path = std::move(*path);
    target.query = std::move(*query);
    return target;
}

} // namespace cpm::http
