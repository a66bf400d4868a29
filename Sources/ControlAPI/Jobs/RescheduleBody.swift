import Foundation

/// What `POST /v1/jobs/{job}/reschedule` takes.
struct RescheduleBody: Decodable {
    /// In the past: at once.
    let runAt: Date

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: AnyKey.self)
        for key in members.allKeys where key.stringValue != "run_at" {
            throw DecodingError.dataCorrupted(.init(codingPath: [key], debugDescription: "to be run_at"))
        }
        let name = AnyKey("run_at")
        guard let time = RequestTime.date(try members.decode(String.self, forKey: name)) else {
            throw DecodingError.dataCorrupted(.init(codingPath: [name], debugDescription: RequestTime.form))
        }
        runAt = time
    }
}
