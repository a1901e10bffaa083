#pragma once

#include "http/route.hpp"

#include <span>
#include <string_view>

namespace cpm::http {

/// One built file of the dashboard, in the program for as long as it runs.
struct DashboardFile {
    std::string_view path; ///< "/index.html", "/assets/index-4f2a.js"
    std::string_view content_type;
    std::string_view etag;   ///< with its quotes
    bool is_hashed = false;  ///< the name changes with the content, so it may be kept for ever
    std::string_view plain;  ///< the file
    std::string_view packed; ///< the same by gzip; empty: it would not get smaller
};

/// All of them; empty in a build without the dashboard (CPM_UI=OFF). Defined by what ui/ builds, so
/// only a composition root may call it.
std::span<DashboardFile const> dashboard_files();

/// The paths a browser may ask for: the dashboard's pages, which are all one document, and its
/// files. They are no part of the interface that openapi.yaml describes; anyone may read them,
/// because they hold nothing but the program.
std::span<Route const> dashboard_routes();

} // namespace cpm::http
