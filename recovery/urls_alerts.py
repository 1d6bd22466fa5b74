"""Alerts: the inbox, what people do there, how they are told, who is on call, and whether it all helps."""

from django.urls import URLPattern, path

from recovery.views import alerts, notifications, rosters, service

urlpatterns: list[URLPattern] = [
    path("alerts/", alerts.show_inbox, name="alerts"),
    path("alerts/pulse/", alerts.show_pulse, name="alerts_pulse"),
    path("alerts/many/", alerts.act_on_many, name="alerts_many"),
    path("alerts/catalogue/", service.show_catalogue, name="alert_catalogue"),
    path("alerts/<uuid:key>/", alerts.show_alert, name="alert"),
    path("alerts/<uuid:key>/acknowledge/", alerts.acknowledge, name="alert_acknowledge"),
    path("alerts/<uuid:key>/assign/", alerts.assign, name="alert_assign"),
    path("alerts/<uuid:key>/snooze/", alerts.snooze, name="alert_snooze"),
    path("alerts/<uuid:key>/escalate/", alerts.escalate, name="alert_escalate"),
    path("alerts/<uuid:key>/resolve/", alerts.resolve, name="alert_resolve"),
    path("alerts/<uuid:key>/reopen/", alerts.reopen, name="alert_reopen"),
    path("alerts/<uuid:key>/undo/", alerts.undo, name="alert_undo"),
    path("notifications/", notifications.show_notifications, name="notifications"),
    path("notifications/read/", notifications.mark_read, name="notifications_read"),
    path("notifications/wish/", notifications.set_wish, name="notifications_wish"),
    path("notifications/browser/", notifications.add_browser, name="notifications_browser"),
    path("notifications/browser/remove/", notifications.remove_browsers, name="notifications_browser_remove"),
    path("roster/", rosters.show_roster, name="roster"),
    path("roster/<slug:team>/turns/", rosters.add_turn, name="roster_turn"),
    path("roster/<slug:team>/turns/<int:pk>/remove/", rosters.remove_turn, name="roster_turn_remove"),
    path("roster/<slug:team>/hooks/", rosters.add_hook, name="roster_hook"),
    path("roster/<slug:team>/hooks/<uuid:hook>/remove/", rosters.remove_hook, name="roster_hook_remove"),
    path("service/", service.show_service, name="service"),
    path("service/figures.csv", service.export_service, name="service_csv"),
]
