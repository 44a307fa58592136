namespace TinyLlm.Grains.Errors;

/// <summary>
/// Every way in which a request can be refused. The set is closed: the HTTP layer maps each member to a status in one table.
/// A fault of ours is not here; it stays an exception. The numbers travel between silos: never change one.
/// </summary>
public enum RequestError
{
    /// <summary>A field, header or name is malformed or out of its bound.</summary>
    Malformed = 0,

    /// <summary>The access token is absent, unknown, revoked or expired.</summary>
    Unauthenticated = 1,

    /// <summary>The access token lacks the scope that the route needs.</summary>
    ScopeLacking = 2,

    /// <summary>The object is absent, or it is not the caller's: the two answers are the same on purpose.</summary>
    NotFound = 3,

    /// <summary>The route exists, but not for this method.</summary>
    MethodNotAllowed = 4,

    /// <summary>The name is taken, possibly in another case.</summary>
    NameTaken = 5,

    /// <summary>The object changed, is being written, or is in a state that does not allow the request.</summary>
    Conflict = 6,

    /// <summary>The body is larger than its bound.</summary>
    TooLarge = 7,

    /// <summary>The media type or content coding is not accepted.</summary>
    WrongMediaType = 8,

    /// <summary>The uploaded model's files are invalid; file and tensor say where.</summary>
    ModelInvalid = 9,

    /// <summary>The same idempotency key came with another body.</summary>
    IdempotencyKeyReused = 10,

    /// <summary>Prompt and completion exceed the model's context.</summary>
    ContextLengthExceeded = 11,

    /// <summary>A count or byte quota of the user is used up.</summary>
    QuotaExceeded = 12,

    /// <summary>No silo of the cluster has an accelerator.</summary>
    NoAccelerator = 13,

    /// <summary>The accelerators have no bytes or places left at the moment.</summary>
    NoCapacity = 14,

    /// <summary>The disk or account that keeps the objects is full.</summary>
    StorageFull = 15,

    /// <summary>The audit log can't be written, so nothing was changed.</summary>
    AuditUnavailable = 16,

    /// <summary>A rate of the caller or of the address is used up for the moment; a repeat after the told time is accepted.</summary>
    RateLimited = 17,

    /// <summary>The right to go on was withdrawn while the answer was made: token, grant, version or user is gone.</summary>
    AccessRevoked = 18,

    /// <summary>What is stored of the model is not what its owner published: a fault of the host's storage, or worse.</summary>
    ModelDamaged = 19,

    /// <summary>The silo is leaving its cluster: another one serves.</summary>
    Draining = 20,

    /// <summary>The answer broke off before its end, by a fault of the cluster's or of the reader's pace: a repeat makes it anew.</summary>
    AnswerCut = 21,

    /// <summary>The upload's files are not those that its client names at the commit; the upload stays as it was.</summary>
    FilesDiffer = 22,
}
