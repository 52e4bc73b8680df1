-- Proposals are decided here alone, so that no token approves what it proposed itself.

-- name: decide_proposal
-- Approve or reject a proposal of this transaction's space, and return it; no row where there is
-- none. The same decision of the same user again changes nothing. The change itself is stored by
-- the caller, in the same transaction, as the next one of the space.
CREATE FUNCTION todo.decide_proposal(p_id uuid, p_state text, p_reason text)
RETURNS SETOF todo.proposals LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  me uuid := todo.current_user_id();
  proposal todo.proposals;
BEGIN
  SELECT * INTO proposal FROM todo.proposals p
   WHERE p.space_id = todo.current_space('approve') AND p.id = p_id
     FOR UPDATE;
  IF proposal.id IS NULL THEN
    RETURN;
  END IF;
  IF EXISTS (
    WITH RECURSIVE line AS (
      SELECT t.id, t.parent FROM todo.tokens t
       WHERE t.user_id = me AND t.id = todo.current_token_id()
      UNION ALL
      SELECT t.id, t.parent
        FROM line l
        JOIN todo.tokens t ON t.user_id = me AND t.id = l.parent)
    SELECT FROM line WHERE id = proposal.token_id) THEN
    RAISE EXCEPTION 'a token cannot decide on its own proposals' USING ERRCODE = 'TD403',
      HINT = 'decide with a token that the proposing one has not created';
  END IF;
  IF proposal.state = p_state AND proposal.decided_by = me THEN
    RETURN NEXT proposal;
    RETURN;
  END IF;
  IF proposal.state <> 'open' THEN
    RAISE EXCEPTION 'the proposal was % already; nothing was changed', proposal.state
      USING ERRCODE = 'TD409', HINT = 'see: todo proposals --all';
  END IF;
  IF proposal.expires_at <= clock_timestamp() THEN
    RAISE EXCEPTION 'the proposal has expired; nothing was changed'
      USING ERRCODE = 'TD409', HINT = 'its proposer can make a new one';
  END IF;
  UPDATE todo.proposals p
     SET state = p_state, decided_at = clock_timestamp(), decided_by = me, reason = p_reason,
         seq = CASE p_state WHEN 'approved' THEN (
           SELECT s.seq + 1 FROM todo.spaces s WHERE s.id = p.space_id) END
   WHERE p.space_id = proposal.space_id AND p.id = p_id
  RETURNING * INTO proposal;
  RETURN NEXT proposal;
END $$;
