import Foundation
import Testing

/// A panel of the dashboards in `deploy/grafana`, with its SQL as Grafana would send it.
struct GrafanaPanel {
    let dashboard: String
    let title: String
    let sql: String
    let dataSource: String?

    static func all() throws -> [GrafanaPanel] {
        try Checkout.files(in: "deploy/grafana/dashboards", endingWith: ".json").flatMap { path in
            let object = try JSONSerialization.jsonObject(with: Data(Checkout.text(path).utf8)) as? [String: Any]
            let panels = try #require(object?["panels"] as? [[String: Any]], "\(path)")
            return try panels.map { panel in
                let target = try #require((panel["targets"] as? [[String: Any]])?.first, "\(path)")
                let sql = try #require(target["rawSql"] as? String, "\(path)")
                return GrafanaPanel(
                    dashboard: path,
                    title: panel["title"] as? String ?? "",
                    sql: sql.replacing("${tenant:sqlstring}", with: "'t1'"),
                    dataSource: (panel["datasource"] as? [String: Any])?["uid"] as? String
                )
            }
        }
    }
}
