// The C structs of ADBC 1.1 and of the Arrow C Stream Interface, under the guards that their
// specifications give: https://arrow.apache.org/adbc/current/format/specification.html,
// https://arrow.apache.org/docs/format/CStreamInterface.html. Functions that are not called here
// are placeholders of the right size.
#pragma once

#include <cstddef>
#include <cstdint>

#include "patchbay/abi.h"

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE
extern "C" {
struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema* out);
  int (*get_next)(struct ArrowArrayStream*, struct ArrowArray* out);
  const char* (*get_last_error)(struct ArrowArrayStream*);
  void (*release)(struct ArrowArrayStream*);
  void* private_data;
};
}
#endif  // ARROW_C_STREAM_INTERFACE

#ifndef ADBC
#define ADBC
extern "C" {
typedef uint8_t AdbcStatusCode;
#define ADBC_STATUS_OK 0
#define ADBC_VERSION_1_0_0 1000000
#define ADBC_VERSION_1_1_0 1001000
// In vendor_code it says that the caller's AdbcError has the members of 1.1.
#define ADBC_ERROR_VENDOR_CODE_PRIVATE_DATA INT32_MIN

struct AdbcDriver;
struct AdbcError {
  char* message;
  int32_t vendor_code;
  char sqlstate[5];
  void (*release)(struct AdbcError*);
  void* private_data;
  struct AdbcDriver* private_driver;
};
struct AdbcDatabase {
  void* private_data;
  struct AdbcDriver* private_driver;
};
struct AdbcConnection {
  void* private_data;
  struct AdbcDriver* private_driver;
};
struct AdbcStatement {
  void* private_data;
  struct AdbcDriver* private_driver;
};

struct AdbcDriver {
  void* private_data;
  void* private_manager;
  AdbcStatusCode (*release)(struct AdbcDriver*, struct AdbcError*);

  AdbcStatusCode (*DatabaseInit)(struct AdbcDatabase*, struct AdbcError*);
  AdbcStatusCode (*DatabaseNew)(struct AdbcDatabase*, struct AdbcError*);
  AdbcStatusCode (*DatabaseSetOption)(struct AdbcDatabase*, const char* key, const char* value,
                                      struct AdbcError*);
  AdbcStatusCode (*DatabaseRelease)(struct AdbcDatabase*, struct AdbcError*);

  void (*ConnectionCommit)(void);
  void (*ConnectionGetInfo)(void);
  void (*ConnectionGetObjects)(void);
  void (*ConnectionGetTableSchema)(void);
  void (*ConnectionGetTableTypes)(void);
  AdbcStatusCode (*ConnectionInit)(struct AdbcConnection*, struct AdbcDatabase*, struct AdbcError*);
  AdbcStatusCode (*ConnectionNew)(struct AdbcConnection*, struct AdbcError*);
  void (*ConnectionSetOption)(void);
  void (*ConnectionReadPartition)(void);
  AdbcStatusCode (*ConnectionRelease)(struct AdbcConnection*, struct AdbcError*);
  void (*ConnectionRollback)(void);

  AdbcStatusCode (*StatementBind)(struct AdbcStatement*, struct ArrowArray* moved,
                                  struct ArrowSchema* moved_schema, struct AdbcError*);
  AdbcStatusCode (*StatementBindStream)(struct AdbcStatement*, struct ArrowArrayStream* moved,
                                        struct AdbcError*);
  AdbcStatusCode (*StatementExecuteQuery)(struct AdbcStatement*, struct ArrowArrayStream* out,
                                          int64_t* rows_affected, struct AdbcError*);
  void (*StatementExecutePartitions)(void);
  void (*StatementGetParameterSchema)(void);
  AdbcStatusCode (*StatementNew)(struct AdbcConnection*, struct AdbcStatement*, struct AdbcError*);
  void (*StatementPrepare)(void);
  AdbcStatusCode (*StatementRelease)(struct AdbcStatement*, struct AdbcError*);
  AdbcStatusCode (*StatementSetOption)(struct AdbcStatement*, const char* key, const char* value,
                                       struct AdbcError*);
  AdbcStatusCode (*StatementSetSqlQuery)(struct AdbcStatement*, const char* query,
                                         struct AdbcError*);
  void (*StatementSetSubstraitPlan)(void);

  // Since 1.1.
  void (*ErrorGetDetailCount)(void);
  void (*ErrorGetDetail)(void);
  const struct AdbcError* (*ErrorFromArrayStream)(struct ArrowArrayStream*, AdbcStatusCode*);
  void (*DatabaseGetOption)(void);
  void (*DatabaseGetOptionBytes)(void);
  void (*DatabaseGetOptionDouble)(void);
  void (*DatabaseGetOptionInt)(void);
  void (*DatabaseSetOptionBytes)(void);
  void (*DatabaseSetOptionDouble)(void);
  void (*DatabaseSetOptionInt)(void);
  AdbcStatusCode (*ConnectionCancel)(struct AdbcConnection*, struct AdbcError*);
  void (*ConnectionGetOption)(void);
  void (*ConnectionGetOptionBytes)(void);
  void (*ConnectionGetOptionDouble)(void);
  void (*ConnectionGetOptionInt)(void);
  void (*ConnectionGetStatistics)(void);
  void (*ConnectionGetStatisticNames)(void);
  void (*ConnectionSetOptionBytes)(void);
  void (*ConnectionSetOptionDouble)(void);
  void (*ConnectionSetOptionInt)(void);
  void (*StatementCancel)(void);
  AdbcStatusCode (*StatementExecuteSchema)(struct AdbcStatement*, struct ArrowSchema* out,
                                           struct AdbcError*);
  void (*StatementGetOption)(void);
  void (*StatementGetOptionBytes)(void);
  void (*StatementGetOptionDouble)(void);
  void (*StatementGetOptionInt)(void);
  void (*StatementSetOptionBytes)(void);
  void (*StatementSetOptionDouble)(void);
  void (*StatementSetOptionInt)(void);
};

typedef AdbcStatusCode (*AdbcDriverInitFunc)(int version, void* driver, struct AdbcError*);
}
#endif  // ADBC
