"""The directory's words: kinds of unit and roles of a post. Pure."""

from enum import StrEnum


class UnitKind(StrEnum):
    """What a unit is. Offices (departments, the command center, the discipline commission) stand under a territory."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"
    VILLAGE = "village"
    DEPARTMENT = "department"
    COMMAND_CENTER = "command_center"
    DISCIPLINE = "discipline"

    @property
    def chinese(self) -> str:
        return _KINDS[self]


class Role(StrEnum):
    VILLAGE_CADRE = "village_cadre"
    TOWNSHIP_CLERK = "township_clerk"
    UNIT_HANDLER = "unit_handler"
    UNIT_HEAD = "unit_head"
    DISPATCHER = "dispatcher"
    SUPERVISOR = "supervisor"
    LEADER = "leader"
    ADMINISTRATOR = "administrator"

    @property
    def chinese(self) -> str:
        return _ROLES[self]


OFFICES = frozenset({UnitKind.DEPARTMENT, UnitKind.COMMAND_CENTER, UnitKind.DISCIPLINE})


class NumberChange(StrEnum):
    """What was done to an official number."""

    ENTERED = "entered"
    REMOVED = "removed"

    @property
    def chinese(self) -> str:
        return {"entered": "登记", "removed": "撤下"}[self]


# Units that are there to handle cases. Whoever sits in one, in whatever post, is told of no evaluation but what is released.
HANDLING_UNITS = frozenset({UnitKind.DEPARTMENT, UnitKind.TOWNSHIP, UnitKind.VILLAGE})

# Who may act for a unit on the cases it holds. The others look, press, instruct or administer.
ACTING_ROLES = frozenset(
    {Role.VILLAGE_CADRE, Role.TOWNSHIP_CLERK, Role.UNIT_HANDLER, Role.UNIT_HEAD, Role.DISPATCHER}
)
# Who may look at any case of the county that is not sealed.
COUNTY_WIDE_ROLES = frozenset({Role.DISPATCHER, Role.SUPERVISOR, Role.LEADER})

_KINDS = {
    UnitKind.PROVINCE: "省",
    UnitKind.CITY: "市",
    UnitKind.COUNTY: "县",
    UnitKind.TOWNSHIP: "镇街",
    UnitKind.VILLAGE: "村(社区)",
    UnitKind.DEPARTMENT: "县级部门",
    UnitKind.COMMAND_CENTER: "指挥中心",
    UnitKind.DISCIPLINE: "纪检监察机关",
}
_ROLES = {
    Role.VILLAGE_CADRE: "村(社区)干部",
    Role.TOWNSHIP_CLERK: "镇街工作人员",
    Role.UNIT_HANDLER: "部门工作人员",
    Role.UNIT_HEAD: "单位负责人",
    Role.DISPATCHER: "指挥中心调度员",
    Role.SUPERVISOR: "督查员",
    Role.LEADER: "县领导",
    Role.ADMINISTRATOR: "系统管理员",
}
