"""Pages of the care team and the patient."""

from django.urls import URLPattern, URLResolver, include, path

from recovery.views import accounts, backtests, board, live, models, pages, patient, what_if

urlpatterns: list[URLPattern | URLResolver] = [
    path("", accounts.home, name="home"),
    path("", include("recovery.urls_accounts")),
    path("", include("recovery.urls_plan")),
    path("patients/", board.show_board, name="board"),
    path("patients/<uuid:key>/", patient.show_patient, name="patient"),
    path("patients/<uuid:key>/what-if/", what_if.show_what_if, name="what_if"),
    path("patients/<uuid:key>/row/", board.show_row, name="board_row"),
    path("patients/<uuid:key>/now/", patient.show_now, name="patient_now"),
    path("patients/<uuid:key>/figures/<slug:metric>/", patient.show_figure, name="figure"),
    path("", include("recovery.urls_clinic")),
    path("", include("recovery.urls_numbers")),
    path("", include("recovery.urls_alerts")),
    path("", include("recovery.urls_me")),
    path("live/", live.live, name="live"),
    path("live/poll/", live.poll, name="live_poll"),
    path("model/", pages.show_model, name="model"),
    path("model/<slug:kind>/", models.show_card, name="model_card"),
    path("model/<slug:kind>/card.json", models.card_as_json, name="model_card_json"),
    path("models/", models.show_models, name="models"),
    path("models/<int:pk>/", models.show_version, name="model_version"),
    path("models/<int:pk>/propose/", models.propose, name="model_propose"),
    path("models/<int:pk>/shadow/", models.shadow, name="model_shadow"),
    path("models/changes/<int:pk>/answer/", models.answer, name="model_answer"),
    path("models/<slug:kind>/back/", models.roll_back, name="model_back"),
    path("models/train/", models.train, name="model_train"),
    path("models/training/<int:pk>/", models.show_training, name="model_training"),
    path("models/training/<int:pk>/cancel/", models.cancel_training, name="model_training_cancel"),
    path("data/unmapped/", pages.show_unmapped, name="unmapped"),
    path("backtests/", backtests.show_backtests, name="backtests"),
    path("backtests/<uuid:key>/", backtests.show_backtest, name="backtest"),
    path("backtests/<uuid:key>/cancel/", backtests.cancel, name="backtest_cancel"),
    path("backtests/<uuid:key>/delete/", backtests.delete, name="backtest_delete"),
    path("backtests/<uuid:key>/files/<str:name>", backtests.fetch, name="backtest_file"),
    path("help/", pages.show_help, name="help"),
    path("", include("recovery.urls_portal")),
]
