# Apache Arrow C++ with Parquet: the target patchbay::arrow_parquet.
# An installed one, as Apache's own Debian packages have it, else the headers and libraries of the pyarrow wheel, which
# ./dev unpacks into build/deps/arrow. ARROW_PARQUET_LIBRARIES lists what the plugin's package then has to carry.
set(ARROW_PARQUET_LIBRARIES)
add_library(patchbay_arrow_parquet INTERFACE)
add_library(patchbay::arrow_parquet ALIAS patchbay_arrow_parquet)

find_package(Arrow CONFIG QUIET)
find_package(Parquet CONFIG QUIET)
if(TARGET Arrow::arrow_shared AND TARGET Parquet::parquet_shared)
  set(arrow_version ${ARROW_VERSION})
  target_link_libraries(patchbay_arrow_parquet INTERFACE Parquet::parquet_shared Arrow::arrow_shared)
else()
  set(arrow_dir ${CMAKE_SOURCE_DIR}/build/deps/arrow)
  set(arrow_config ${arrow_dir}/include/arrow/util/config.h)
  if(NOT EXISTS ${arrow_config})
    message(FATAL_ERROR "Arrow C++ is neither installed (libarrow-dev, libparquet-dev) nor in ${arrow_dir}: run ./dev setup")
  endif()
  file(STRINGS ${arrow_config} arrow_defines REGEX "^#define ARROW_(VERSION_STRING|SO_VERSION) ")
  string(REGEX REPLACE ".*ARROW_VERSION_STRING \"([^\"]+)\".*" "\\1" arrow_version "${arrow_defines}")
  string(REGEX REPLACE ".*ARROW_SO_VERSION \"([^\"]+)\".*" "\\1" arrow_soversion "${arrow_defines}")
  foreach(name IN ITEMS arrow parquet)
    set(file ${arrow_dir}/lib/lib${name}.so.${arrow_soversion})
    add_library(patchbay_wheel_${name} SHARED IMPORTED)
    set_target_properties(patchbay_wheel_${name} PROPERTIES
      IMPORTED_LOCATION ${file} INTERFACE_INCLUDE_DIRECTORIES ${arrow_dir}/include)
    list(APPEND ARROW_PARQUET_LIBRARIES ${file})
  endforeach()
  target_link_libraries(patchbay_arrow_parquet INTERFACE patchbay_wheel_parquet patchbay_wheel_arrow)
endif()

set(arrow_oldest 21.0.0)  # decimals of 32 and 64 bits, uuid and json as types
if(arrow_version VERSION_LESS arrow_oldest)
  message(FATAL_ERROR "Arrow C++ ${arrow_version} is older than ${arrow_oldest}")
endif()
