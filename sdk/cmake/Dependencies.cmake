# Every library that the tree uses; all of them are Debian 12 packages (packaging/apt-build.txt).
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(Boost 1.74 CONFIG REQUIRED COMPONENTS headers program_options)
find_package(OpenSSL 3 REQUIRED)
find_package(CURL REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(jsoncpp CONFIG REQUIRED)
find_package(yaml-cpp CONFIG REQUIRED)
find_package(simdjson CONFIG REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(date CONFIG REQUIRED)
find_package(ZLIB REQUIRED)
find_package(zstd CONFIG REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(libisal REQUIRED IMPORTED_TARGET libisal)

# Headers only, used by one file. The Debian package depends on Qt and much else, so its headers may also have been
# unpacked beside the build.
find_path(VALIJSON_INCLUDE_DIR valijson/validator.hpp
          PATHS ${CMAKE_SOURCE_DIR}/build/deps/usr/include REQUIRED)

pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)

# Loaded by the plugin `sql` when it is opened, never linked. The system's, else the one that ./dev fetched.
find_library(PATCHBAY_DUCKDB_LIBRARY duckdb PATHS ${CMAKE_SOURCE_DIR}/build/deps/duckdb)

if(PATCHBAY_BUILD_TESTS)
  find_package(GTest CONFIG REQUIRED)
endif()
if(PATCHBAY_BUILD_BENCH)
  find_package(benchmark CONFIG REQUIRED)
endif()
