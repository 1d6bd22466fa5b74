"""The demo ward: made-up patients, their past taken in once (`seeding`), their present sent live (`feed`).

cast        who is on the ward
ward        one ward in time: the cast anchored at the moment of seeding, and the files that remember it
course      each patient's synthetic readings, a pure function of (seed, patient, time)
resources   the FHIR resources that say it
accounts    demo people, passwords and the simulator's token
seeding     the past, through the same mapping and services as the HTTP door
feed        the present: what is due between two moments, in bodies that are safe to send twice
client      posting over HTTP until acknowledged
volunteer   one real wearable record (LifeSnaps), no patient
"""
