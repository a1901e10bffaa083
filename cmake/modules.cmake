# cpm_flags(TARGET): what every line of CPM is compiled with.
function(cpm_flags target)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
    target_compile_options(${target} PRIVATE
        -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wswitch -Werror
        # g++ 12 reports std::string's own concatenation as overlapping (GCC bug 105651).
        $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
    target_compile_definitions(${target} PRIVATE FMT_ENFORCE_COMPILE_STRING=0
        $<$<BOOL:${CPM_FAULT_POINTS}>:CPM_FAULT_POINTS>)
endfunction()

# cpm_module(NAME DEPENDS...): a layer of docs/ARCHITECTURE.md: the folder's sources as a static
# library.
function(cpm_module name)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
    add_library(cpm_${name} STATIC ${sources})
    cpm_flags(cpm_${name})
    target_link_libraries(cpm_${name} PUBLIC ${ARGN})
endfunction()

# cpm_program(NAME DEPENDS...): an executable: the folder's sources.
function(cpm_program name)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
    add_executable(${name} ${sources})
    cpm_flags(${name})
    target_link_libraries(${name} PRIVATE ${ARGN})
endfunction()

# cpm_suite(NAME DEPENDS...): a doctest suite of the folder's sources, run by ctest. Exit status 77
# means "skipped": the machine lacks a capability, and a line "SKIP: …" of the output says which.
function(cpm_suite name)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
    add_executable(test_${name} ${sources})
    cpm_flags(test_${name})
    target_compile_definitions(test_${name} PRIVATE CPM_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    target_link_libraries(test_${name} PRIVATE test_support ${ARGN})
    add_test(NAME ${name} COMMAND test_${name})
    set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900)
endfunction()
