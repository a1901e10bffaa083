#pragma once

#include <string_view>

namespace cpm::http {

/// http/openapi.yaml as JSON text; put into the program by the build.
std::string_view openapi_json();

} // namespace cpm::http
