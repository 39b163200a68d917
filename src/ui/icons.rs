//! One set of 20 px line icons: the page's tools and the kinds of resources, which are drawn to be told from their outline alone.

use yew::prelude::*;

/// An icon of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    Alone,
    Together,
    Away,
    Caret,
    Theme,
    Pause,
    Play,
    Step,
    Run,
    Close,
    Plus,
    Left,
    Right,
    Up,
    Down,
    Overview,
    Present,
    Slides,
    Stage,
    Work,
    Term,
    Restart,
    Clock,
    Search,
    Outside,
    Embed,
    Share,
    Branch,
}

/// Draws an icon in the colour of the text around it.
pub(crate) fn icon(icon: Icon) -> Html {
    let (path, is_filled, size) = match icon {
        Icon::Alone => ("M4 8V4h4M16 8V4h-4M4 12v4h4M16 12v4h-4", false, 14),
        Icon::Together => ("M8 4v4H4M12 4v4h4M8 16v-4H4M12 16v-4h4", false, 14),
        Icon::Away => ("M4 10h12", false, 14),
        Icon::Caret => ("M6 8.5l4 4 4-4", false, 12),
        Icon::Theme => (
            "M10 3.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13M10 3.5v13a6.5 6.5 0 0 0 0-13",
            false,
            18,
        ),
        Icon::Pause => ("M5 3h3.6v14H5zM11.4 3H15v14h-3.6z", true, 14),
        Icon::Play => ("M5 3v14l12-7z", true, 14),
        Icon::Step => ("M3 3.5v13l9-6.5zM14 3.5h3v13h-3z", true, 14),
        Icon::Embed => ("M7 6l-4 4 4 4M13 6l4 4-4 4M11.500 4.500l-3 11", false, 16),
        Icon::Outside => (
            "M8 5H4.500v10.500H15V12M11.500 4.500H16V9M16 4.500l-7 7",
            false,
            14,
        ),
        Icon::Run => ("M5 3v14l12-7z", true, 10),
        Icon::Close => ("M5.5 5.5l9 9m0-9l-9 9", false, 14),
        Icon::Plus => ("M10 4.5v11M4.5 10h11", false, 14),
        Icon::Left => ("M12 5l-5 5 5 5", false, 14),
        Icon::Right => ("M8 5l5 5-5 5", false, 14),
        Icon::Up => ("M5 12l5-5 5 5", false, 14),
        Icon::Down => ("M5 8l5 5 5-5", false, 14),
        Icon::Overview => (
            "M3.500 3.500h5v5h-5zM11.500 3.500h5v5h-5zM3.500 11.500h5v5h-5zM11.500 11.500h5v5h-5z",
            false,
            14,
        ),
        Icon::Present => ("M3 4.5h14v9H3zM10 13.5v3.5M7 17h6", false, 15),
        Icon::Slides => ("M3 4.5h14v9H3zM10 13.5v3.5M7 17h6", false, 20),
        Icon::Stage => (
            "M10 2l7 4v8l-7 4-7-4V6zM10 10l7-4M10 10v8M10 10L3 6",
            false,
            20,
        ),
        Icon::Work => ("M5 2.5h7l4 4v11H5zM8 10h5M8 13h5", false, 20),
        Icon::Term => ("M2.5 4h15v12h-15zM5.5 8l2.5 2-2.5 2M10 12.5h4", false, 20),
        Icon::Restart => ("M5 5v4h4M5.4 9a5.5 5.5 0 1 1-.6 3.4", false, 15),
        Icon::Search => (
            "M9 3.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11M13 13l4 4",
            false,
            16,
        ),
        Icon::Share => (
            "M10 12V3M6.5 6L10 2.800 13.500 6M5 9.500v7h10v-7",
            false,
            16,
        ),
        Icon::Branch => (
            "M6 3v14M6 12c0-4 8-2 8-7M11.500 6.500L14 4l2.500 2.500",
            false,
            15,
        ),
        Icon::Clock => (
            "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14M10 6v4l2.6 1.8",
            false,
            18,
        ),
    };
    line(path, is_filled, size)
}

/// The shape of a kind of resource, 20 px.
pub(crate) fn kind_icon(kind: &str) -> Html {
    let path = match kind {
        "Pod" => "M10 2l7 4v8l-7 4-7-4V6z",
        "Container" => "M4.5 4.5h11v11h-11z",
        "ReplicaSet" | "ReplicationController" => "M3 7h10v10H3zM7 4h7a3 3 0 0 1 3 3v7",
        "Deployment" => "M3 7h10v10H3zM7 4h7a3 3 0 0 1 3 3v6m-2-2l2 2 2-2",
        "DaemonSet" => "M3 12h14v5H3zM6 8.2v.1M10 8.2v.1M14 8.2v.1M6 4.2v.1M10 4.2v.1M14 4.2v.1",
        "StatefulSet" => "M6 3h11v4H6zM6 8h11v4H6zM6 13h11v4H6zM3 4.5v1M3 9.5v1M3 14.5v1",
        "Job" => "M5 18V2.5M5 3.5h11l-3 4 3 4H5",
        "CronJob" => "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14M10 6v4l2.6 1.8",
        "Service" => {
            "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14M10 7.5a2.5 2.5 0 1 0 0 5a2.5 2.5 0 1 0 0-5"
        }
        "Endpoints" | "EndpointSlice" => {
            "M5 8a2 2 0 1 0 0 4a2 2 0 1 0 0-4M15 3a2 2 0 1 0 0 4a2 2 0 1 0 0-4M15 13a2 2 0 1 0 0 4a2 2 0 1 0 0-4M7 9l6-3M7 11l6 3"
        }
        "Ingress" | "IngressClass" => "M4 17V3h12v14M2 17h16M13 10v.5",
        "ConfigMap" => "M5 2h7l4 4v12H5zM8 10h5M8 13h5",
        "Secret" => "M5 9h10v8H5zM7 9V6a3 3 0 0 1 6 0v3",
        "PersistentVolume" | "PersistentVolumeClaim" | "StorageClass" => {
            "M4 5c0-1.3 2.7-2.4 6-2.4s6 1.1 6 2.4-2.7 2.4-6 2.4S4 6.300 4 5zM4 5v10c0 1.300 2.700 2.400 6 2.400s6-1.100 6-2.400V5"
        }
        "Node" => "M3 4h14v12H3zM3 8h14M6 6v.1",
        "Namespace" => "M3 6V3h3M14 3h3v3M17 14v3h-3M6 17H3v-3M7 7h6v6H7z",
        "ServiceAccount" => {
            "M10 3.800a3.200 3.200 0 1 0 0 6.400a3.200 3.200 0 1 0 0-6.400M4 17c0-4 2.600-5.600 6-5.600s6 1.600 6 5.600"
        }
        "Role" | "ClusterRole" => {
            "M10 2l6 2.600v5c0 4-2.600 6.600-6 8.400c-3.400-1.800-6-4.400-6-8.400v-5z"
        }
        "RoleBinding" | "ClusterRoleBinding" => {
            "M10 2l6 2.600v5c0 4-2.600 6.600-6 8.400c-3.400-1.800-6-4.400-6-8.400v-5zM7.500 10h5"
        }
        "HorizontalPodAutoscaler" => "M3 16h14M6 13V9M10 13V5M14 13V3",
        "PodDisruptionBudget" => "M3 16h14M4 13a6 6 0 0 1 12 0M10 7V4",
        "ResourceQuota" | "LimitRange" => "M3 14a7 7 0 0 1 14 0M10 14l4-4",
        "NetworkPolicy" => "M3 4h14v12H3zM3 10h14M8 4v6M13 10v6",
        "Event" => "M11 2L5 11h4l-1 7 7-10h-4z",
        "Lease" => "M4 8h12v9H4zM7 8V4h6v4",
        "CustomResourceDefinition" => "M10 2l7 4v8l-7 4-7-4V6zM7 10h6M10 7v6",
        _ => "M4 4h12v12H4zM8 10h4",
    };
    line(path, false, 20)
}

fn line(path: &'static str, is_filled: bool, size: u32) -> Html {
    let (fill, stroke) = if is_filled {
        ("currentColor", "none")
    } else {
        ("none", "currentColor")
    };
    html! {
        <svg viewBox="0 0 20 20" width={size.to_string()} height={size.to_string()} aria-hidden="true" {fill} {stroke}
            stroke-width="1.5" stroke-linejoin="round" stroke-linecap="round"><path d={path} /></svg>
    }
}
