/// A five-character error code of PostgreSQL (appendix A of its manual).
package struct SQLState: Hashable, Sendable {
    package let code: String

    package init(_ code: String) { self.code = code }

    package static let uniqueViolation = SQLState("23505")
    package static let foreignKeyViolation = SQLState("23503")
    package static let checkViolation = SQLState("23514")
    package static let notNullViolation = SQLState("23502")
    package static let exclusionViolation = SQLState("23P01")
    package static let serializationFailure = SQLState("40001")
    package static let deadlockDetected = SQLState("40P01")
    package static let lockNotAvailable = SQLState("55P03")
    package static let queryCanceled = SQLState("57014")
    package static let undefinedTable = SQLState("42P01")
    package static let undefinedFunction = SQLState("42883")
    package static let duplicatePreparedStatement = SQLState("42P05")
    package static let invalidStatementName = SQLState("26000")
    package static let featureNotSupported = SQLState("0A000")
    package static let inFailedTransaction = SQLState("25P02")
    package static let readOnlyTransaction = SQLState("25006")
    package static let raiseException = SQLState("P0001")
    package static let insufficientPrivilege = SQLState("42501")

    /// The condition's name in PL/pgSQL, or `sqlstate_XXXXX` for the rarer ones.
    package var label: String { Self.names[code] ?? "sqlstate_\(code.lowercased())" }

    var errorClass: Substring { code.prefix(2) }

    /// After these the server ends the session.
    var endsSession: Bool {
        errorClass == "08" || ["57P01", "57P02", "57P03", "57P05", "25P03"].contains(code)
    }

    /// Whether the primary message is made of names only.
    ///
    /// Class 22 (data exceptions) quotes the value it could not read and class XX may say anything.
    /// Class 42 quotes the statement's own text when it has a position in it; without one it comes
    /// from running, for example from `$1::regclass`, and may quote a parameter. Class P0 and
    /// classes of our own are raised by functions, whose authors choose the text.
    func messageIsSafe(hasPosition: Bool, hasParameters: Bool) -> Bool {
        switch errorClass {
        case "22", "XX", "38", "39", "58", "HV": false
        case "42": hasPosition || !hasParameters || code == Self.insufficientPrivilege.code
        default: true
        }
    }

    /// What helps, where something general does.
    var hint: String? {
        switch code {
        case "42P01", "42883", "42703", "3F000": "leasehold migrate"
        case "28P01", "28000": "check the user, the password (PGPASSWORD or ~/.pgpass) and pg_hba.conf"
        case "3D000": "create the database first: createdb NAME"
        case "53300": "lower the pool sizes or raise max_connections"
        case "42501": "grant the role what the statement needs, or connect as the owner"
        case "25006": "connect to the primary: add target_session_attrs=read-write to the database URL"
        case "55P03": "find who holds the lock: select pid, query from pg_stat_activity where wait_event_type = 'Lock'"
        case "57P03": "wait until the server has started"
        default: nil
        }
    }

    private static let names: [String: String] = [
        "08000": "connection_exception", "08006": "connection_failure", "0A000": "feature_not_supported",
        "21000": "cardinality_violation", "22001": "string_data_right_truncation",
        "22003": "numeric_value_out_of_range", "22007": "invalid_datetime_format",
        "22008": "datetime_field_overflow", "22012": "division_by_zero", "22021": "character_not_in_repertoire",
        "22023": "invalid_parameter_value", "22P02": "invalid_text_representation",
        "22P03": "invalid_binary_representation", "22P04": "bad_copy_file_format",
        "22P05": "untranslatable_character", "23000": "integrity_constraint_violation",
        "23502": "not_null_violation", "23503": "foreign_key_violation", "23505": "unique_violation",
        "23514": "check_violation", "23P01": "exclusion_violation", "25001": "active_sql_transaction",
        "25006": "read_only_sql_transaction", "25P01": "no_active_sql_transaction",
        "25P02": "in_failed_sql_transaction", "25P03": "idle_in_transaction_session_timeout",
        "26000": "invalid_sql_statement_name", "28000": "invalid_authorization_specification",
        "28P01": "invalid_password", "3D000": "invalid_catalog_name", "3F000": "invalid_schema_name",
        "40001": "serialization_failure", "40P01": "deadlock_detected", "42501": "insufficient_privilege",
        "42601": "syntax_error", "42703": "undefined_column", "42704": "undefined_object",
        "42710": "duplicate_object", "42723": "duplicate_function", "42804": "datatype_mismatch",
        "42846": "cannot_coerce", "42883": "undefined_function", "42P01": "undefined_table",
        "42P02": "undefined_parameter", "42P05": "duplicate_prepared_statement", "42P06": "duplicate_schema",
        "42P07": "duplicate_table", "42P18": "indeterminate_datatype", "53100": "disk_full",
        "53200": "out_of_memory", "53300": "too_many_connections", "54000": "program_limit_exceeded",
        "55000": "object_not_in_prerequisite_state", "55006": "object_in_use", "55P03": "lock_not_available",
        "57014": "query_canceled", "57P01": "admin_shutdown", "57P02": "crash_shutdown",
        "57P03": "cannot_connect_now", "57P05": "idle_session_timeout", "58030": "io_error",
        "P0001": "raise_exception", "P0002": "no_data_found", "P0004": "assert_failure",
        "XX000": "internal_error", "XX001": "data_corrupted",
    ]
}
