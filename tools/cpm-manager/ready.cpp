#include "tools/cpm-manager/ready.hpp"

#include "http/own_names.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace cpm::tools {
namespace {

/// A listener's "ADDRESS:PORT" as people can call it: one that is open to all has no address.
std::string in_url(std::string const& listener) {
    auto const colon = listener.rfind(':');
    auto const address = listener.substr(0, colon);
    if (address != "0.0.0.0" && address != "[::]")
        return listener;
    return http::first_lan_address().value_or("localhost") + listener.substr(colon);
}

} // namespace

std::string make_setup_code(manager::Random& random) {
    // 32 letters and digits that are not taken for each other; 60 bits for a code that lives until
    // it is used.
    constexpr std::string_view kLetters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    std::array<std::uint8_t, 12> bytes;
    random.fill(bytes);
    std::string code;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i > 0 && i % 4 == 0)
            code += '-';
        code += kLetters[bytes[i] % kLetters.size()];
    }
    return code;
}

std::vector<std::string> urls_of(Ready const& ready) {
    auto const fragment = ready.setup_code.empty() ? "" : "#setup=" + ready.setup_code;
    std::vector<std::string> urls;
    if (ready.http)
        urls.push_back(fmt::format("http://{}/{}", in_url(*ready.http), fragment));
    if (ready.https)
        urls.push_back(fmt::format("https://{}/{}", in_url(*ready.https), fragment));
    if (!ready.public_url.empty()) {
        auto const* const slash = ready.public_url.ends_with('/') ? "" : "/";
        urls.push_back(ready.public_url + slash + fragment);
    }
    return urls;
}

core::Result<void> write_ready_file(std::filesystem::path const& file, Ready const& ready) {
    namespace json = boost::json;
    auto const or_null = [](std::string_view text) {
        return text.empty() ? json::value() : json::value(text);
    };
    json::array urls;
    for (auto const& url : urls_of(ready))
        urls.emplace_back(url);
    json::object const object{
        {"http", or_null(ready.http.value_or(""))},
        {"https", or_null(ready.https.value_or(""))},
        {"urls", std::move(urls)},
        {"compatible_wake", or_null(ready.compatible_wake.value_or(""))},
        {"ca_pin", or_null(ready.ca_pin)},
        {"setup_code", or_null(ready.setup_code)},
        {"pid", ::getpid()},
    };
    auto const text = json::serialize(object) + "\n";
    auto const draft = file.string() + ".new";
    int const fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool const written =
        fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (fd >= 0)
        ::close(fd);
    if (!written || ::rename(draft.c_str(), file.c_str()) != 0)
        return core::fail(
            core::ErrorCode::Storage,
            fmt::format(
                "the ready file {} cannot be written: {}", file.string(), std::strerror(errno)
            )
        );
    return {};
}

std::string ready_text(Ready const& ready) {
    std::string text;
    for (auto const& url : urls_of(ready))
        text += fmt::format("CPM serves at {}\n", url);
    if (ready.compatible_wake)
        text +=
            fmt::format("Compatible wake interface at http://{}\n", in_url(*ready.compatible_wake));
    if (!ready.ca_pin.empty())
        text += fmt::format("Fingerprint of its certificate authority: {}\n", ready.ca_pin);
    if (!ready.setup_code.empty())
        text += fmt::format(
            "No administrator yet. Setup code: {} (valid until it is used or the manager stops)\n",
            ready.setup_code
        );
    return text;
}

} // namespace cpm::tools
