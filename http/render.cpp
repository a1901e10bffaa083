#include "http/render.hpp"

#include "http/problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>

namespace cpm::http {
namespace {

// What a browser may do with any response of ours: nothing. The dashboard's own files bring a
// policy of theirs.
constexpr std::string_view kPolicy =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'";

// A year, for this name alone.
constexpr std::string_view kStrictTransport = "max-age=31536000";

bool breaks_head(std::string_view text) {
    return std::ranges::any_of(text, [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
}

bool has(Response const& response, std::string_view name) {
    return std::ranges::any_of(response.headers, [&](auto const& header) {
        return std::ranges::equal(header.first, name, {}, [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        });
    });
}

bool has_body(Response const& response) {
    return response.status != 204 && response.status != 304;
}

void add(std::string& head, std::string_view name, std::string_view value) {
    if (breaks_head(name) || breaks_head(value))
        throw std::logic_error("a control character in the response field " + std::string(name));
    fmt::format_to(std::back_inserter(head), "{}: {}\r\n", name, value);
}

} // namespace

std::string to_http_date(core::WallTime time) {
    using namespace std::chrono;
    constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array kMonths{
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    auto const day = floor<days>(time);
    year_month_day const date(day);
    hh_mm_ss const clock(floor<seconds>(time - day));
    return fmt::format(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        kDays.at(weekday(day).c_encoding()),
        static_cast<unsigned>(date.day()),
        kMonths.at(static_cast<unsigned>(date.month()) - 1),
        static_cast<int>(date.year()),
        clock.hours().count(),
        clock.minutes().count(),
        clock.seconds().count()
    );
}

std::string render_head(Response const& response, Framing framing, core::WallTime now) {
    std::string head;
    head.reserve(768);
    fmt::format_to(
        std::back_inserter(head),
        "HTTP/1.1 {} {}\r\n",
        response.status,
        reason_phrase(response.status)
    );
    add(head, "Date", to_http_date(now));
    if (has_body(response))
        add(head, "Content-Type", response.content_type);
    if (has_body(response) && !response.stream)
        add(head, "Content-Length", std::to_string(response.body.size()));
    if (!has(response, "cache-control"))
        add(head, "Cache-Control", "no-store");
    if (!has(response, "content-security-policy"))
        add(head, "Content-Security-Policy", kPolicy);
    add(head, "X-Content-Type-Options", "nosniff");
    add(head, "Referrer-Policy", "no-referrer");
    if (framing.secure)
        add(head, "Strict-Transport-Security", kStrictTransport);
    for (auto const& [name, value] : response.headers)
        add(head, name, value);
    if (!framing.keep_alive)
        add(head, "Connection", "close");
    head += "\r\n";
    return head;
}

} // namespace cpm::http
