#include "agent/identity.hpp"

#include "agent/files.hpp"

#include <algorithm>

namespace cpm::agent {
namespace {

constexpr auto kBootIdFile = "/proc/sys/kernel/random/boot_id";
constexpr microseconds kResume = std::chrono::milliseconds(100);

bool is_uuid(std::string_view text) {
    constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    auto const fits = [](char c, char form) {
        bool const is_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        return form == 'x' ? is_digit : c == form;
    };
    return text.size() == kForm.size() && std::equal(text.begin(), text.end(), kForm.begin(), fits);
}

} // namespace

std::uint64_t ResumeCounter::look(Clocks const& now) {
    auto const suspended = now.boottime - now.monotonic;
    if (suspended - suspended_ > kResume) {
        ++count_;
        suspended_ = suspended;
    }
    return count_;
}

tl::expected<std::string, std::string> read_boot_id(std::filesystem::path const& run_directory) {
    std::error_code ignored;
    auto file = run_directory / "boot_id";
    if (!std::filesystem::exists(file, ignored))
        file = kBootIdFile;
    auto text = read_file(file);
    if (!text)
        return text;
    while (text->ends_with('\n'))
        text->pop_back();
    if (!is_uuid(*text))
        return tl::make_unexpected(file.string() + ": is not a lower-case UUID");
    return text;
}

} // namespace cpm::agent
