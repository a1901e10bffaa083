#include "tools/cpm-manager/reload.hpp"

#include <fmt/format.h>

#include <set>
#include <string>

namespace cpm::tools {
namespace {

/// The keys whose value is another one now.
std::set<std::string> changed_keys(Options const& old, Options const& fresh) {
    std::set<std::string> keys;
    auto const compare = [&](Options const& one, Options const& other) {
        for (auto const& [key, given] : one.given) {
            auto const found = other.given.find(key);
            if (found == other.given.end() || found->second.text != given.text)
                keys.insert(key);
        }
    };
    compare(old, fresh);
    compare(fresh, old);
    return keys;
}

} // namespace

Reload::Reload(
    ReadOptions read,
    Options& options,
    std::optional<Certificate>& certificate,
    http::Server& server,
    OperatorLog const& log
)
    : read_(std::move(read))
    , options_(options)
    , certificate_(certificate)
    , server_(server)
    , log_(log) {}

void Reload::operator()() {
    reread_options();
    if (certificate_)
        renew_certificate();
}

void Reload::reread_options() {
    auto read = read_();
    if (auto* const fresh = std::get_if<Options>(&read))
        return take_over(std::move(*fresh));
    if (auto const* const error = std::get_if<UsageError>(&read))
        for (auto const& fault : error->faults)
            log_.warn(fault);
    log_.warn("the options stay as they were");
}

void Reload::take_over(Options&& fresh) {
    bool renamed = false;
    for (auto const& key : changed_keys(options_, fresh)) {
        if (!take_over(key, fresh)) {
            log_.warn(fmt::format("{}: its new value counts from the next start", key));
            continue;
        }
        renamed = true;
        auto const given = fresh.given.find(key);
        if (given == fresh.given.end())
            options_.given.erase(key);
        else
            options_.given.insert_or_assign(key, given->second);
        log_.say(fmt::format("{}: the new value counts", key));
    }
    if (renamed)
        server_.rename({options_.host_names, options_.public_url, options_.trusted_proxies});
}

/// Takes the new value of one option; false when only a new start can.
bool Reload::take_over(std::string_view key, Options& fresh) {
    if (key == "host_names")
        options_.host_names = std::move(fresh.host_names);
    else if (key == "public_url")
        options_.public_url = std::move(fresh.public_url);
    else if (key == "trusted_proxies")
        options_.trusted_proxies = std::move(fresh.trusted_proxies);
    else if (key == "tls_certificate" || key == "tls_key") {
        // From the manager's own authority to a given certificate is another trust: a new start.
        if (!options_.certificate || !fresh.certificate)
            return false;
        take_files(*fresh.certificate);
    } else
        return false;
    return true;
}

void Reload::take_files(GivenCertificate const& files) {
    options_.certificate = files;
    if (certificate_)
        certificate_->renew = [files] { return read_context(files); };
}

void Reload::renew_certificate() {
    if (auto const context = certificate_->renew()) {
        server_.renew(*context);
        log_.say("the TLS certificate was renewed");
    } else
        log_.warn(context.error().detail + "; the TLS certificate stays as it was");
}

} // namespace cpm::tools
