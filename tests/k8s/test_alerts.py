"""Alerts fire for their faults and not else, and all expressions are PromQL: promtool evaluates them."""

import json
import os
import shutil
import subprocess

import pytest
import yaml

from tests.k8s.test_monitoring import ADAPTER, DASHBOARD, RULES

PROMTOOL = os.environ.get("HSDS_TEST_PROMTOOL") or shutil.which("promtool")
pytestmark = pytest.mark.skipif(PROMTOOL is None, reason="no promtool on this machine (Debian: prometheus)")

MINUTES = 120
SN, DN = 'namespace="n", pod="sn-1"', 'namespace="n", pod="dn-1"'
REQUESTS = f'hsds_http_requests_total{{{SN}, method="GET", route="/", status='
SECONDS = f'hsds_http_request_duration_seconds_bucket{{{SN}, method="GET", route="/", status="200", le='
STORE = f'hsds_store_calls_total{{{DN}, call="get", status='
CACHE = f'{{{DN}, cache="chunk"}}'
STARTED = f'hsds_info{{{SN}, node_type="sn", version="2"}}'

WELL = {
    f'hsds_info{{{SN}, node_type="sn", version="1"}}': "1",
    f'hsds_info{{{DN}, node_type="dn", version="1"}}': "1",
    f"hsds_node_ready{{{SN}}}": "1",
    f'{REQUESTS}"200"}}': "0+600",
    # other nodes and probes ask far more often
    f'hsds_http_requests_total{{{DN}, method="POST", route="/ping", status="200"}}': "0+90000",
    f'hsds_http_requests_total{{{SN}, method="GET", route="/readyz", status="503"}}': "0+60",
    f'{SECONDS}"0.1"}}': "0+600",
    f'{SECONDS}"10"}}': "0+600",
    f'{SECONDS}"30"}}': "0+600",
    f'{SECONDS}"+Inf"}}': "0+600",
    f"hsds_store_failing_seconds{{{DN}}}": "0",
    f'{STORE}"ok"}}': "0+600",
    f"hsds_held_requests{{{SN}}}": "0",
    f"hsds_leased{{{DN}}}": "1",
    f"hsds_slots_live{{{DN}}}": "4096",
    f"hsds_view_changes_total{{{DN}}}": "1",
    f'hsds_budget_waiting{{{DN}, budget="loads"}}': "0",
    f"hsds_cache_evictions_total{CACHE}": "0+6000",
    f"hsds_cache_hits_total{CACHE}": "0+7000",
    f"hsds_cache_misses_total{CACHE}": "0+6000",
    f"hsds_event_loop_lag_seconds{{{SN}}}": "0.01",
}
"""Series with their values by the minute: one that stays, or a start and what each minute adds."""

ONE = {"namespace": "n"}
FAULTS = {
    "HsdsErrors": ({f'{REQUESTS}"503"}}': "0+12"}, ONE),
    "HsdsSlow": ({f'{SECONDS}"0.1"}}': "0+590", f'{SECONDS}"10"}}': "0+590"}, ONE),
    "HsdsStoreFailing": ({f"hsds_store_failing_seconds{{{DN}}}": "0+60"}, ONE | {"pod": "dn-1"}),
    "HsdsStoreThrottled": ({f'{STORE}"StoreBusy"}}': "0+60"}, ONE),
    "HsdsStoreRefuses": ({f'{STORE}"StoreRefused"}}': "0+1"}, ONE),
    "HsdsNotReady": ({f"hsds_node_ready{{{SN}}}": "0"}, ONE),
    "HsdsAbsent": ({f'hsds_info{{{DN}, node_type="dn", version="1"}}': "_"}, {"node_type": "dn"}),
    "HsdsRequestsHeld": ({f"hsds_held_requests{{{SN}}}": "1"}, ONE),
    "HsdsLeaseLost": ({f"hsds_leased{{{DN}}}": "0"}, ONE | {"pod": "dn-1"}),
    "HsdsSlotsNotServed": ({f"hsds_slots_live{{{DN}}}": "4095"}, ONE),
    "HsdsViewsChurn": ({f"hsds_view_changes_total{{{DN}}}": "0+2"}, ONE),
    "HsdsMemoryShort": (
        {f'hsds_budget_waiting{{{DN}, budget="loads"}}': "2"},
        ONE | {"pod": "dn-1", "budget": "loads"},
    ),
    "HsdsCacheThrashing": ({f"hsds_cache_hits_total{CACHE}": "0+5000"}, ONE | {"cache": "chunk"}),
    "HsdsLoopLate": ({f"hsds_event_loop_lag_seconds{{{SN}}}": "1.5"}, ONE | {"pod": "sn-1"}),
    "HsdsVersionsMixed": ({STARTED: "1"}, ONE),
}


def promtool(folder, *words):
    done = subprocess.run([PROMTOOL, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def in_an_hour_and_a_half(folder, series, firing):
    """See that of all alerts only that one fires, with these labels; None for none."""
    name, labels = firing or (None, {})
    (folder / "alerts.yml").write_text(yaml.safe_dump({"groups": [{"name": "hsds", "rules": RULES}]}))
    expected = []
    for rule in RULES:
        told = {
            "exp_labels": labels | rule["labels"],
            "exp_annotations": rule["annotations"],
        }
        fires = [told] if rule["alert"] == name else []
        expected.append({"eval_time": "90m", "alertname": rule["alert"], "exp_alerts": fires})
    given = [{"series": one, "values": values + f"x{MINUTES}"} for one, values in series.items()]
    test = {"interval": "1m", "input_series": given, "alert_rule_test": expected}
    file = {"rule_files": ["alerts.yml"], "evaluation_interval": "1m", "tests": [test]}
    (folder / "test.json").write_text(json.dumps(file))  # which is YAML too
    promtool(folder, "test", "rules", "test.json")


def test_no_alert_fires_while_all_is_well(tmp_path):
    in_an_hour_and_a_half(tmp_path, WELL, None)


@pytest.mark.parametrize("alert", [rule["alert"] for rule in RULES])
def test_each_alert_fires_for_its_fault_and_for_no_other(tmp_path, alert):
    series, labels = FAULTS[alert]
    in_an_hour_and_a_half(tmp_path, WELL | series, (alert, labels))


def test_all_expressions_of_dashboard_and_adapter_are_promql(tmp_path):
    panels = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    queries = [rule["metricsQuery"] for rule in ADAPTER["rules"]["custom"]]
    filled = [
        text.replace("$namespace", "n").replace("$__rate_interval", "1m")
        .replace("<<.GroupBy>>", "pod").replace("<<.LabelMatchers>>", 'namespace="n"')
        for text in panels + queries
    ]  # fmt: skip
    rules = [{"record": f"expression:{number}", "expr": text} for number, text in enumerate(filled)]
    (tmp_path / "rules.json").write_text(json.dumps({"groups": [{"name": "all", "rules": rules}]}))
    promtool(tmp_path, "check", "rules", "rules.json")
