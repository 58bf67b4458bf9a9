-- The least that a wallet or card payment writes, in one round trip each: the limit.
CREATE FUNCTION bench_wallet(p_order text, p_payment text, p_attempt text, p_transfer text,
    p_merchant text, p_user text, p_sealed text, accounts text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM shop_order WHERE id = p_order FOR UPDATE;
  INSERT INTO payment (id, merchant_id, livemode, user_id, order_id, status, version, amount_minor,
      currency, captured_minor, fee_bps, fee_minor, method_kind, method_label, pii_sealed,
      amount_sealed, integrity_hash, created_at, captured_at, finished_at, attempt_count, metadata)
    VALUES (p_payment, p_merchant, false, p_user, p_order, 'captured', 2, 100000, 'INR', 100000, 200,
      2000, 'wallet', 'Wallet', p_sealed, p_sealed, p_sealed, clock_now(), clock_now(), clock_now(),
      1, '{}');
  INSERT INTO attempt (id, payment_id, merchant_id, livemode, user_id, number, method_kind, status,
      started_at, finished_at)
    VALUES (p_attempt, p_payment, p_merchant, false, p_user, 1, 'wallet', 'succeeded', clock_now(),
      clock_now());
  PERFORM bench_books(p_payment, p_transfer, p_merchant, accounts);
  PERFORM bench_story('payment', p_payment, p_merchant, p_user, 2);
  PERFORM bench_close(p_order, p_merchant, p_user);
END $$;

CREATE FUNCTION bench_books(p_payment text, p_transfer text, p_merchant text, accounts text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO transfer (id, reference, kind, merchant_id, livemode, at, because)
    VALUES (p_transfer, 'bench:' || p_payment, 'payment.captured', p_merchant, false, clock_now(),
      'bench');
  INSERT INTO entry (transfer_id, position, account_id, merchant_id, livemode, currency, amount_minor)
    VALUES (p_transfer, 1, accounts[1], p_merchant, false, 'INR', -100000),
           (p_transfer, 2, accounts[2], p_merchant, false, 'INR', 100000),
           (p_transfer, 3, accounts[2], p_merchant, false, 'INR', -2000),
           (p_transfer, 4, accounts[3], p_merchant, false, 'INR', 2000);
END $$;

CREATE FUNCTION bench_story(p_noun text, p_id text, p_merchant text, p_user text, steps int)
RETURNS void LANGUAGE sql AS $$
  INSERT INTO move (id, noun, subject_id, version, source, target, because, actor_kind,
      merchant_id, livemode, user_id, at)
    SELECT gen_random_uuid()::text, p_noun, p_id, v, 'a', 'b', 'bench', 'system', p_merchant, false,
      p_user, clock_now() FROM generate_series(1, steps) v ON CONFLICT DO NOTHING;
  INSERT INTO fact (id, name, subject_kind, subject_id, version, merchant_id, livemode, user_id,
      snapshot, because, actor_kind, at)
    SELECT gen_random_uuid()::text, p_noun, p_noun, p_id, v, p_merchant, false, p_user,
      '{"id": "bench", "amount": 100000}', 'bench', 'system', clock_now()
      FROM generate_series(1, steps) v ON CONFLICT DO NOTHING;
$$;

CREATE FUNCTION bench_close(p_order text, p_merchant text, p_user text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE session_id text;
BEGIN
  UPDATE shop_order SET status = 'completed', version = 2, completed_at = clock_now()
    WHERE id = p_order;
  PERFORM bench_story('order', p_order, p_merchant, p_user, 2);
  UPDATE checkout_session SET status = 'complete', version = 2, closed_at = clock_now()
    WHERE order_id = p_order RETURNING id INTO session_id;
  PERFORM bench_story('checkout_session', session_id, p_merchant, p_user, 2);
END $$;

-- A card payment is three transactions: begun with its call written down, the call claimed, applied.
CREATE FUNCTION bench_card_begin(p_order text, p_payment text, p_attempt text, p_merchant text,
    p_user text, p_sealed text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM shop_order WHERE id = p_order FOR UPDATE;
  INSERT INTO payment (id, merchant_id, livemode, user_id, order_id, status, version, amount_minor,
      currency, captured_minor, fee_bps, fee_minor, method_kind, pii_sealed, amount_sealed,
      integrity_hash, created_at, attempt_count, metadata)
    VALUES (p_payment, p_merchant, false, p_user, p_order, 'processing', 2, 100000, 'INR', 0, 200, 0,
      'card', p_sealed, p_sealed, p_sealed, clock_now(), 1, '{}');
  INSERT INTO attempt (id, payment_id, merchant_id, livemode, user_id, number, method_kind,
      provider_method_id, status, started_at)
    VALUES (p_attempt, p_payment, p_merchant, false, p_user, 1, 'card', 'pm_' || p_attempt,
      'processing', clock_now());
  PERFORM bench_story('payment', p_payment, p_merchant, p_user, 2);
  PERFORM bench_call(p_payment, p_merchant, 'create_intent');
END $$;

CREATE FUNCTION bench_call(p_payment text, p_merchant text, p_kind text) RETURNS void
LANGUAGE sql AS $$
  INSERT INTO provider_operation (id, kind, provider, subject_kind, subject_id, purpose, merchant_id,
      livemode, request, state, tries, claims, due_at, created_at)
    VALUES ('op_' || gen_random_uuid(), p_kind, 'stripe', 'payment', p_payment, 'bench', p_merchant,
      false, '{"amount_minor": 100000}', 'pending', 0, 0, clock_now(), clock_now());
$$;

CREATE FUNCTION bench_claim(p_payment text, p_kind text) RETURNS void LANGUAGE sql AS $$
  UPDATE provider_operation SET state = 'in_flight', tries = tries + 1, claims = claims + 1,
      lease_token = nextval('fence'), lease_until = clock_now() + interval '10 s',
      first_sent_at = clock_now()
    WHERE subject_id = p_payment AND kind = p_kind;
$$;

CREATE FUNCTION bench_answer(p_payment text, p_merchant text, p_kind text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE provider_operation SET state = 'succeeded', lease_until = NULL,
      due_at = NULL, closed_at = clock_now(), result = '{"result": "succeeded"}'
    WHERE subject_id = p_payment AND kind = p_kind;
  IF p_kind = 'create_intent' THEN
    UPDATE payment SET provider_intent_id = 'pi_' || p_payment WHERE id = p_payment;
    PERFORM bench_call(p_payment, p_merchant, 'confirm');
  END IF;
END $$;

CREATE FUNCTION bench_card_end(p_order text, p_payment text, p_transfer text, p_merchant text,
    p_user text, accounts text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM shop_order WHERE id = p_order FOR UPDATE;
  PERFORM bench_answer(p_payment, p_merchant, 'confirm');
  UPDATE attempt SET status = 'succeeded', finished_at = clock_now() WHERE payment_id = p_payment;
  UPDATE payment SET status = 'captured', version = 3, captured_minor = 100000, fee_minor = 2000,
      captured_at = clock_now(), finished_at = clock_now() WHERE id = p_payment;
  PERFORM bench_books(p_payment, p_transfer, p_merchant, accounts);
  PERFORM bench_story('payment', p_payment, p_merchant, p_user, 3);
  PERFORM bench_close(p_order, p_merchant, p_user);
END $$;
