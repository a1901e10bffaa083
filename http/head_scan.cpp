#include "http/head.hpp"

#include <algorithm>

namespace cpm::http {
namespace {

tl::unexpected<Refusal> refuse(int status, std::string detail) {
    return tl::make_unexpected(Refusal{status, std::move(detail)});
}

bool is_forbidden(char c) {
    auto const byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

/// The longest request line: method, target, version.
constexpr std::size_t kMaxRequestLine = kMaxTarget + 32;

} // namespace

Checked<std::size_t> scan_head(std::string_view bytes) {
    auto const window = bytes.substr(0, kMaxHead);
    std::size_t begin = 0;
    while (true) {
        auto const end = window.find('\n', begin);
        auto const line = window.substr(begin, end == window.npos ? end : end - begin);
        if (begin == 0 && line.size() > kMaxRequestLine)
            return refuse(414, "the request's target must be at most 2048 bytes long");
        if (end == window.npos) {
            // The last byte may be the CR of a line end that is still to come.
            auto const last = line.ends_with('\r') ? line.size() - 1 : line.size();
            if (std::ranges::any_of(line.substr(0, last), is_forbidden))
                return refuse(400, "the head must not contain control characters");
            if (bytes.size() >= kMaxHead)
                return refuse(431, "the head must be at most 8192 bytes long");
            return 0;
        }
        if (!line.ends_with('\r'))
            return refuse(400, "each line of the head must end with CR LF");
        auto const text = line.substr(0, line.size() - 1);
        if (std::ranges::any_of(text, is_forbidden))
            return refuse(400, "the head must not contain control characters");
        if (text.empty() && begin > 0)
            return end + 1;
        if (text.empty())
            return refuse(400, "a request begins with its request line");
        if (begin > 0 && (text.front() == ' ' || text.front() == '\t'))
            return refuse(400, "a field must not be folded over several lines");
        begin = end + 1;
    }
}

} // namespace cpm::http
