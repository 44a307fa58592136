namespace TinyLlm.Grains.Errors;

/// <summary>
/// Every way in which a request can be refused. The set is closed: the HTTP layer maps each member to a status in one table.
/// A fault of ours is not here; it stays an exception.
/// </summary>
public enum RequestError
{
    /// <summary>A field, header or name is malformed or out of its bound.</summary>
    Malformed,

    /// <summary>The access token is absent, unknown, revoked or expired.</summary>
    Unauthenticated,

    /// <summary>The access token lacks the scope that the route needs.</summary>
    ScopeLacking,

    /// <summary>The object is absent, or it is not the caller's: the two answers are the same on purpose.</summary>
    NotFound,

    /// <summary>The route exists, but not for this method.</summary>
    MethodNotAllowed,

    /// <summary>The name is taken, possibly in another case.</summary>
    NameTaken,

    /// <summary>The object changed, is being written, or is in a state that does not allow the request.</summary>
    Conflict,

    /// <summary>The body is larger than its bound.</summary>
    TooLarge,

    /// <summary>The media type or content coding is not accepted.</summary>
    WrongMediaType,

    /// <summary>The uploaded model's files are invalid; file and tensor say where.</summary>
    ModelInvalid,

    /// <summary>The same idempotency key came with another body.</summary>
    IdempotencyKeyReused,

    /// <summary>Prompt and completion exceed the model's context.</summary>
    ContextLengthExceeded,

    /// <summary>A count or byte quota of the user is used up.</summary>
    QuotaExceeded,

    /// <summary>No silo of the cluster has an accelerator.</summary>
    NoAccelerator,

    /// <summary>The accelerators have no bytes or places left at the moment.</summary>
    NoCapacity,

    /// <summary>The disk or account that keeps the objects is full.</summary>
    StorageFull,
}
