"""Pages of the care team and the patient."""

from django.urls import URLPattern, URLResolver, path

from recovery.views import accounts, alerts, backtests, board, live, me, pages, patient

urlpatterns: list[URLPattern | URLResolver] = [
    path("", accounts.home, name="home"),
    path("login/", accounts.SignIn.as_view(), name="login"),
    path("logout/", accounts.SignOut.as_view(), name="logout"),
    path("patients/", board.show_board, name="board"),
    path("patients/<uuid:key>/", patient.show_patient, name="patient"),
    path("patients/<uuid:key>/row/", board.show_row, name="board_row"),
    path("patients/<uuid:key>/now/", patient.show_now, name="patient_now"),
    path("patients/<uuid:key>/figures/<slug:metric>/", patient.show_figure, name="figure"),
    path("patients/<uuid:key>/readings/<slug:metric>/", patient.show_readings, name="readings"),
    path("patients/<uuid:key>/readings/<slug:metric>.csv", patient.export_readings, name="readings_csv"),
    path("alerts/", alerts.show_inbox, name="alerts"),
    path("alerts/<uuid:key>/acknowledge/", alerts.acknowledge, name="alert_acknowledge"),
    path("alerts/<uuid:key>/snooze/", alerts.snooze, name="alert_snooze"),
    path("alerts/<uuid:key>/resolve/", alerts.resolve, name="alert_resolve"),
    path("alerts/<uuid:key>/reopen/", alerts.reopen, name="alert_reopen"),
    path("me/", me.show_me, name="me"),
    path("live/", live.live, name="live"),
    path("live/poll/", live.poll, name="live_poll"),
    path("model/", pages.show_model, name="model"),
    path("data/unmapped/", pages.show_unmapped, name="unmapped"),
    path("backtests/", backtests.show_backtests, name="backtests"),
    path("backtests/<uuid:key>/", backtests.show_backtest, name="backtest"),
    path("backtests/<uuid:key>/cancel/", backtests.cancel, name="backtest_cancel"),
    path("backtests/<uuid:key>/delete/", backtests.delete, name="backtest_delete"),
    path("backtests/<uuid:key>/files/<str:name>", backtests.fetch, name="backtest_file"),
    path("help/", pages.show_help, name="help"),
]
